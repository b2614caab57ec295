import type { UserId } from '@letterlock/core';
import { Alert, Button, Code, Group, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useContacts, useSelf } from '../core/values';
import { ErrorText } from '../ui/ErrorText';
import { useTask } from '../ui/failures';

/** Shows whom a link or an id names, and makes them a contact. */
export function ContactForm({ user, suggestion, onDone, onCancel }: { user: UserId; suggestion?: string; onDone(): void; onCancel(): void }) {
  const letterlock = useLetterlock();
  const self = useSelf();
  const contacts = useContacts();
  const known = contacts?.find((contact) => contact.user === user);
  const [name, setName] = useState(suggestion ?? '');
  const [asksReplace, setAsksReplace] = useState(false);
  const task = useTask();
  const taken = contacts?.find((contact) => contact.name === name.trim() && contact.user !== user);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (taken && !asksReplace) {
      setAsksReplace(true);
      return;
    }
    const add = () => (taken ? letterlock.replaceContact(name.trim(), user) : letterlock.addContact(name.trim(), user));
    if (known || (await task.run(add))) onDone();
  };
  if (self?.user === user) return <Alert color="gray">This is your own link. Send it to others.</Alert>;
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <div>
          <Text size="sm" fw={500}>
            Their id
          </Text>
          <Code block>{user}</Code>
        </div>
        {known ? (
          <Text>
            You know this person as <strong>{known.name}</strong>.
          </Text>
        ) : (
          <TextInput
            label="Name"
            description="What you call them. Nobody else sees it."
            value={name}
            onChange={(event) => (setName(event.currentTarget.value), setAsksReplace(false))}
            required
            maxLength={64}
            autoComplete="off"
            data-autofocus
          />
        )}
        {asksReplace && taken && (
          <Alert color="yellow" title={`You already know somebody as ${taken.name}`} role="alert">
            Replace them only if you are sure that this is the same person with a new identity. You will be asked to compare before anything
            is sent. Otherwise choose another name.
          </Alert>
        )}
        <ErrorText error={task.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={task.busy} color={asksReplace ? 'red' : undefined}>
            {known ? 'Open conversation' : asksReplace ? `Replace ${taken?.name}` : 'Add contact'}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
