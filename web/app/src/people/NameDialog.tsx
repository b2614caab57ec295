import type { UserId } from '@letterlock/core';
import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useEffect, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { ErrorText } from '../ui/ErrorText';
import { useTask } from '../ui/failures';

/** Gives somebody a name, or another one. */
export function NameDialog({ opened, user, former, onClose }: { opened: boolean; user: UserId; former?: string; onClose(): void }) {
  const letterlock = useLetterlock();
  const [name, setName] = useState('');
  const task = useTask();
  useEffect(() => {
    if (opened) setName(former ?? '');
  }, [opened, former]);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const done = await task.run(async () => {
      if (name.trim() === former) return;
      await letterlock.addContact(name.trim(), user);
      if (former) await letterlock.removeContact(former);
    });
    if (done) onClose();
  };
  return (
    <Modal opened={opened} onClose={onClose} title={former ? 'Rename' : 'Add a name'}>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus required maxLength={64} autoComplete="off" />
          <ErrorText error={task.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={task.busy}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
