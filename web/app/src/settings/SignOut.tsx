import { Button, Checkbox, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { Question } from '../ui/Question';

export function SignOut() {
  const [asks, setAsks] = useState(false);
  return (
    <>
      <Button variant="light" color="red" onClick={() => setAsks(true)}>
        Sign out and erase
      </Button>
      <SignOutQuestion opened={asks} onNo={() => setAsks(false)} />
    </>
  );
}

/** Also for who has forgotten the passphrase. */
export function SignOutQuestion({ opened, onNo }: { opened: boolean; onNo(): void }) {
  const letterlock = useLetterlock();
  const [sure, setSure] = useState(false);
  return (
    <Question
      opened={opened}
      title="Erase everything in this browser?"
      yes="Erase"
      danger
      onNo={() => (setSure(false), onNo())}
      onYes={async () => {
        if (!sure) throw new Error('Tick the box first.');
        await letterlock.signOut();
      }}
    >
      <Stack gap="sm">
        <Text size="sm">
          Keys, messages and contacts are erased from this browser. Your other devices keep theirs. If this is your only device, your identity
          is gone for good: others will see you as somebody new.
        </Text>
        <Checkbox label="I know that this cannot be undone" checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} />
      </Stack>
    </Question>
  );
}
