import { Button, PasswordInput, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { codeOf } from '../core/words';
import { SignOutQuestion } from '../settings/SignOut';
import { ErrorText } from '../ui/ErrorText';
import { useTask } from '../ui/failures';
import { Page } from './Page';

export function Unlock() {
  const letterlock = useLetterlock();
  const [passphrase, setPassphrase] = useState('');
  const [forgotten, setForgotten] = useState(false);
  const task = useTask();
  const wrong = codeOf(task.error) === 'passphrase-wrong';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void task.run(() => letterlock.unlock(passphrase));
  };
  return (
    <Page title="Unlock Letterlock">
      <form onSubmit={submit}>
        <Stack>
          <PasswordInput
            label="Passphrase"
            value={passphrase}
            onChange={(event) => (setPassphrase(event.currentTarget.value), task.clear())}
            error={wrong && 'This passphrase is wrong.'}
            required
            autoFocus
            autoComplete="current-password"
            size="md"
          />
          {!wrong && <ErrorText error={task.error} />}
          <Button type="submit" size="md" loading={task.busy}>
            Unlock
          </Button>
        </Stack>
      </form>
      <Button variant="subtle" color="gray" onClick={() => setForgotten(true)}>
        I have forgotten it
      </Button>
      <Text size="xs" c="dimmed" ta="center">
        Unlocking takes a moment: that is what makes guessing slow.
      </Text>
      <SignOutQuestion opened={forgotten} onNo={() => setForgotten(false)} />
    </Page>
  );
}
