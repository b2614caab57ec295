import { Button, List, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useSelf } from '../core/values';
import { showDone } from '../ui/failures';
import { Question } from '../ui/Question';

/** What has to be typed: nobody does that by accident. */
const WORD = 'delete';

export function DeleteAccount() {
  const self = useSelf();
  const [asks, setAsks] = useState(false);
  if (self && !self.manages) {
    return (
      <Text size="sm" c="dimmed">
        This account can be deleted on a device that may link and unlink others. This one may not.
      </Text>
    );
  }
  return (
    <>
      <Button variant="light" color="red" disabled={!self} onClick={() => setAsks(true)}>
        Delete this account
      </Button>
      {asks && <DeleteQuestion onNo={() => setAsks(false)} />}
    </>
  );
}

function DeleteQuestion({ onNo }: { onNo(): void }) {
  const letterlock = useLetterlock();
  const [typed, setTyped] = useState('');
  const deleteAll = async () => {
    if (typed.trim().toLowerCase() !== WORD) throw new Error(`Type “${WORD}” first.`);
    await letterlock.deleteUser();
    showDone('Your account is deleted. The server has forgotten you.');
    await letterlock.signOut();
  };
  return (
    <Question opened title="Delete this account for good?" yes="Delete account" danger onNo={onNo} onYes={deleteAll}>
      <Stack gap="sm">
        <List size="sm" spacing="xs">
          <List.Item>The server forgets you and all your devices. Messages that wait there for you are lost.</List.Item>
          <List.Item>Nobody can write to you any more, and your id never comes back: not for you, and not for anybody else.</List.Item>
          <List.Item>Keys, messages and contacts are erased from this browser. Your other devices keep their history, but send and receive nothing.</List.Item>
          <List.Item>What you have sent stays with those who have it.</List.Item>
        </List>
        <Text size="sm" fw={500}>
          None of this can be taken back.
        </Text>
        <TextInput label={`Type “${WORD}” to go on`} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} autoComplete="off" spellCheck={false} />
      </Stack>
    </Question>
  );
}
