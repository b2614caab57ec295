import { parseContact } from '@letterlock/core';
import { Button, Divider, Modal, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import type { Invitation } from '../nav/invitation';
import { useNavigation } from '../nav/navigation';
import { QrScanner } from '../qr/QrScanner';
import { ContactForm } from './ContactForm';

export function AddContact({ opened, onClose }: { opened: boolean; onClose(): void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Add a contact">
      {opened && <Steps onClose={onClose} />}
    </Modal>
  );
}

function Steps({ onClose }: { onClose(): void }) {
  const { go } = useNavigation();
  const [found, setFound] = useState<Invitation | null>(null);
  if (!found) return <Find onFound={setFound} />;
  return <ContactForm user={found.user} suggestion={found.name} onCancel={onClose} onDone={() => go({ peer: found.user })} />;
}

function Find({ onFound }: { onFound(contact: Invitation): void }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  useEffect(() => setProblem(''), [text]);
  const look = (candidate: string) => {
    const contact = parseContact(candidate.trim());
    if (contact) onFound(contact);
    else setProblem('This is neither a contact link nor an id.');
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    look(text);
  };
  return (
    <Stack>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Their link or id"
            description="Ask them to share it, best over something that you both trust."
            placeholder="https://…/#add=u…"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            error={problem}
            required
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
          <Button type="submit">Continue</Button>
        </Stack>
      </form>
      <Divider label="or scan the code that they show" />
      <QrScanner onCode={look} />
    </Stack>
  );
}
