import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useLetterlock, useStatus } from '../core/letterlock';
import { ErrorText } from '../ui/ErrorText';
import { showDone, useTask } from '../ui/failures';

type Change = 'set' | 'change' | 'remove';

const WORDS: Record<Change, { title: string; done: string }> = {
  set: { title: 'Set a passphrase', done: 'The passphrase is set.' },
  change: { title: 'Change the passphrase', done: 'The passphrase is changed.' },
  remove: { title: 'Remove the passphrase', done: 'The passphrase is removed.' },
};

/** Sets, changes and removes what the records are locked with. */
export function Passphrase() {
  const has = useStatus((status) => status.passphrase);
  const [change, setChange] = useState<Change>();
  return (
    <Stack gap={6}>
      <Text size="sm">{has ? 'This browser asks for a passphrase when it opens.' : 'No passphrase: whoever can use this browser can open your messages.'}</Text>
      <Group gap="xs">
        <Button variant="light" onClick={() => setChange(has ? 'change' : 'set')}>
          {has ? 'Change passphrase' : 'Set a passphrase'}
        </Button>
        {has && (
          <Button variant="light" color="red" onClick={() => setChange('remove')}>
            Remove passphrase
          </Button>
        )}
      </Group>
      <Modal opened={change !== undefined} onClose={() => setChange(undefined)} title={change && WORDS[change].title}>
        {change && <Form change={change} onClose={() => setChange(undefined)} />}
      </Modal>
    </Stack>
  );
}

function Form({ change, onClose }: { change: Change; onClose(): void }) {
  const letterlock = useLetterlock();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const task = useTask();
  const differs = again !== '' && again !== next;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (next !== again) return;
    const done = await task.run(() => letterlock.changePassphrase(next, change === 'set' ? undefined : current));
    if (!done) return;
    showDone(WORDS[change].done);
    onClose();
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        {change !== 'set' && (
          <PasswordInput label="Current passphrase" value={current} onChange={(event) => setCurrent(event.currentTarget.value)} required autoComplete="current-password" data-autofocus />
        )}
        {change !== 'remove' && (
          <>
            <PasswordInput label="New passphrase" value={next} onChange={(event) => setNext(event.currentTarget.value)} required autoComplete="new-password" data-autofocus={change === 'set' || undefined} />
            <PasswordInput label="New passphrase again" value={again} onChange={(event) => setAgain(event.currentTarget.value)} required autoComplete="new-password" error={differs && 'The two differ.'} />
            <Text size="sm" c="dimmed">
              Nobody can restore it. Without it, what this browser holds is lost.
            </Text>
          </>
        )}
        <ErrorText error={task.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={task.busy} color={change === 'remove' ? 'red' : undefined}>
            {WORDS[change].title}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
