import { Button, Group, Modal, Stack } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useConnect } from '../core/network';
import { ErrorText } from '../ui/ErrorText';
import { useTask } from '../ui/failures';
import { InviteField } from '../welcome/InviteField';

/** Asks for another invite: the server has refused the one it was shown, or was shown none. */
export function InviteAgain() {
  const letterlock = useLetterlock();
  const connect = useConnect();
  const [opened, setOpened] = useState(false);
  const [invite, setInvite] = useState('');
  const task = useTask();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!(await task.run(() => letterlock.setSetting('invite', invite.trim())))) return;
    setOpened(false);
    connect();
  };
  return (
    <>
      <Button size="compact-xs" variant="white" onClick={() => setOpened(true)}>
        Enter an invite
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Enter an invite">
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <InviteField value={invite} onChange={setInvite} />
            <ErrorText error={task.error} />
            <Group justify="flex-end">
              <Button type="submit" loading={task.busy}>
                Register
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
