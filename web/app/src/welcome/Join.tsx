import type { LinkQuestion } from '@letterlock/core';
import { Alert, Button, Checkbox, Code, Group, Loader, PasswordInput, Stack, Text } from '@mantine/core';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { QrCode } from '../qr/QrCode';
import { CopyField } from '../ui/CopyField';
import { ErrorText } from '../ui/ErrorText';
import { useTask } from '../ui/failures';
import { clockTime } from '../ui/times';
import { Page } from './Page';

interface Asked extends LinkQuestion {
  answer(yes: boolean): void;
}

/** Makes this browser another device of somebody: shows a code, and asks. */
export function Join({ onBack }: { onBack(): void }) {
  const letterlock = useLetterlock();
  const [code, setCode] = useState<{ text: string; ends: number }>();
  const [asked, setAsked] = useState<Asked>();
  const task = useTask();
  const abort = useRef<AbortController>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const start = (passphrase?: string) => {
    abort.current = new AbortController();
    const prompt = {
      show: (text: string, ends: number) => setCode({ text, ends }),
      confirm: (question: LinkQuestion) => new Promise<boolean>((answer) => setAsked({ ...question, answer })),
    };
    void task
      .run(() => letterlock.join(prompt, { passphrase, signal: abort.current?.signal }))
      .then(() => (setCode(undefined), setAsked(undefined)));
  };
  return (
    <Page title="Link to my other device" onBack={onBack}>
      {asked ? (
        <Confirm asked={asked} />
      ) : code ? (
        <Stack>
          <Text size="sm">On your other device open Settings, Linked devices, “Link a new device”, and scan this or type it there.</Text>
          <QrCode text={code.text} label="QR code to link this device" />
          <CopyField label="Code" value={code.text} />
          <Group gap="xs" justify="center" role="status">
            <Loader size="xs" />
            <Text size="sm" c="dimmed">
              Waiting for your other device, until {clockTime(code.ends)}
            </Text>
          </Group>
        </Stack>
      ) : (
        <Begin busy={task.busy} onStart={start} />
      )}
      <ErrorText error={task.error} />
    </Page>
  );
}

function Begin({ busy, onStart }: { busy: boolean; onStart(passphrase?: string): void }) {
  const [protects, setProtects] = useState(false);
  const [passphrase, setPassphrase] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onStart(protects ? passphrase : undefined);
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">This browser becomes one of your devices. It gets what is written from now on; what was written before stays where it is.</Text>
        <Checkbox label="Protect this browser with a passphrase" checked={protects} onChange={(event) => setProtects(event.currentTarget.checked)} />
        {protects && (
          <PasswordInput label="Passphrase" value={passphrase} onChange={(event) => setPassphrase(event.currentTarget.value)} required autoComplete="new-password" />
        )}
        <Button type="submit" loading={busy}>
          Show the code
        </Button>
      </Stack>
    </form>
  );
}

function Confirm({ asked }: { asked: Asked }) {
  const [answered, setAnswered] = useState(false);
  const answer = (yes: boolean) => {
    setAnswered(true);
    asked.answer(yes);
  };
  return (
    <Stack>
      <Text>Is this your identity?</Text>
      <Code block>{asked.user}</Code>
      <Alert color="yellow">Compare it with the id that your other device shows under “My link”. If they differ, somebody else has taken the code.</Alert>
      <Group justify="flex-end">
        <Button variant="default" onClick={() => answer(false)} disabled={answered}>
          No
        </Button>
        <Button onClick={() => answer(true)} loading={answered} data-autofocus>
          Yes, link this browser
        </Button>
      </Group>
    </Stack>
  );
}
