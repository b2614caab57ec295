import type { LinkQuestion } from '@letterlock/core';
import { Alert, Button, Code, Divider, Group, Modal, Stack, Switch, Text, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { QrScanner } from '../qr/QrScanner';
import { ErrorText } from '../ui/ErrorText';
import { showDone, useTask } from '../ui/failures';

/** On a device that manages: takes the code of a new device, asks, and links it. */
export function LinkDevice({ opened, onClose }: { opened: boolean; onClose(): void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Link a new device" closeOnClickOutside={false}>
      {opened && <Steps onClose={onClose} />}
    </Modal>
  );
}

interface Asked extends LinkQuestion {
  answer(yes: boolean): void;
}

function Steps({ onClose }: { onClose(): void }) {
  const letterlock = useLetterlock();
  const [code, setCode] = useState('');
  const [manage, setManage] = useState(false);
  const [asked, setAsked] = useState<Asked>();
  const task = useTask();
  const abort = useRef<AbortController>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const link = async (text: string) => {
    abort.current = new AbortController();
    const confirm = (question: LinkQuestion) => new Promise<boolean>((answer) => setAsked({ ...question, answer }));
    const done = await task.run(() => letterlock.linkDevice(text.trim(), { confirm }, { manage, signal: abort.current?.signal }));
    setAsked(undefined);
    if (!done) return;
    showDone('The device is linked.');
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void link(code);
  };
  if (asked) return <Confirm asked={asked} manage={manage} />;
  return (
    <Stack>
      <Text size="sm">Open Letterlock on the new device, choose “Link to my other device”, and bring the code that it shows here.</Text>
      <Switch
        label="It may link and unlink devices too"
        description="Give this only to a device that you trust as much as this one."
        checked={manage}
        onChange={(event) => setManage(event.currentTarget.checked)}
        disabled={task.busy}
      />
      <QrScanner onCode={(text) => void link(text)} />
      <Divider label="or type or paste the code" />
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput label="Code" value={code} onChange={(event) => setCode(event.currentTarget.value)} required autoComplete="off" spellCheck={false} data-autofocus />
          <ErrorText error={task.error} />
          <Button type="submit" loading={task.busy}>
            Continue
          </Button>
        </Stack>
      </form>
    </Stack>
  );
}

function Confirm({ asked, manage }: { asked: Asked; manage: boolean }) {
  return (
    <Stack>
      <Text>Is this the device that you hold?</Text>
      <div>
        <Text size="sm" fw={500}>
          New device
        </Text>
        <Code block>{asked.device}</Code>
      </div>
      <Alert color="yellow">
        Once linked it reads everything that is written to you{manage ? ', and can link and unlink devices' : ''}.
      </Alert>
      <Group justify="flex-end">
        <Button variant="default" onClick={() => asked.answer(false)} data-autofocus>
          No
        </Button>
        <Button onClick={() => asked.answer(true)}>Yes, link it</Button>
      </Group>
    </Stack>
  );
}
