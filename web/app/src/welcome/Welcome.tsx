import { Alert, Button, Checkbox, Collapse, Divider, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useInvitation } from '../nav/invitation';
import { ErrorText } from '../ui/ErrorText';
import { useTask } from '../ui/failures';
import { Join } from './Join';
import { Page } from './Page';

/** Where somebody without an identity begins. */
export function Welcome() {
  const [joins, setJoins] = useState(false);
  const [invitation] = useInvitation();
  if (joins) return <Join onBack={() => setJoins(false)} />;
  return (
    <Page title="Welcome to Letterlock">
      {invitation ? (
        <Alert color="teal" title={`${invitation.name ?? 'Somebody'} wants to write with you`}>
          Begin below; then you can open the conversation.
        </Alert>
      ) : (
        <Text ta="center" c="dimmed">
          Messages that only you and those you write with can read. No phone number, no e-mail address.
        </Text>
      )}
      <Create />
      <Divider label="or" />
      <Button variant="default" onClick={() => setJoins(true)}>
        Link to my other device
      </Button>
      <Text size="xs" c="dimmed" ta="center">
        A page trusts whoever serves it: use Letterlock on a server that you trust.
      </Text>
    </Page>
  );
}

function Create() {
  const letterlock = useLetterlock();
  const [name, setName] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const [protects, setProtects] = useState(false);
  const task = useTask();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void task.run(async () => {
      await letterlock.create(protects ? { passphrase } : {});
      if (name.trim()) await letterlock.setSetting('name', name.trim());
    });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Your name" description="Optional. Your link suggests it to others; the server does not learn it." value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={64} autoComplete="nickname" size="md" />
        <Checkbox label="Protect this browser with a passphrase" checked={protects} onChange={(event) => setProtects(event.currentTarget.checked)} />
        <Collapse expanded={protects}>
          {protects && (
            <PasswordInput label="Passphrase" description="Nobody can restore it: without it, what this browser holds is lost." value={passphrase} onChange={(event) => setPassphrase(event.currentTarget.value)} required autoComplete="new-password" size="md" />
          )}
        </Collapse>
        <ErrorText error={task.error} />
        <Button type="submit" size="md" loading={task.busy}>
          Start
        </Button>
      </Stack>
    </form>
  );
}
