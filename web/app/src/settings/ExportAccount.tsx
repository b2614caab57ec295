import { Button, Text } from '@mantine/core';
import { useLetterlock } from '../core/letterlock';
import { ErrorText } from '../ui/ErrorText';
import { saveText } from '../ui/download';
import { useTask } from '../ui/failures';

/** Hands over what the server knows of its user, as a file. */
export function ExportAccount() {
  const letterlock = useLetterlock();
  const task = useTask();
  const save = async () => {
    const held = await letterlock.exportUser();
    saveText('letterlock-export.json', 'application/json', `${JSON.stringify(held, null, 2)}\n`);
  };
  return (
    <>
      <Button variant="light" loading={task.busy} onClick={() => void task.run(save)}>
        Export what the server has about you
      </Button>
      <Text size="sm" c="dimmed">
        Your devices and their public keys, and messages that wait for this device, still locked. Your conversations are not in it: the server
        cannot read them.
      </Text>
      <ErrorText error={task.error} />
    </>
  );
}
