import { notifications } from '@mantine/notifications';
import { useCallback, useState } from 'react';
import { wordsOf } from '../core/words';

/** Shows an error with words, where there is no better place for it. */
export function showFailure(error: unknown, title = 'That did not work'): void {
  notifications.show({ color: 'red', title, message: wordsOf(error), closeButtonProps: { 'aria-label': 'Close' } });
}

export function showDone(message: string): void {
  notifications.show({ message, closeButtonProps: { 'aria-label': 'Close' } });
}

/** Runs one thing at a time, says whether it runs, and holds what went wrong. */
export function useTask(): { run(task: () => Promise<unknown>): Promise<boolean>; busy: boolean; error: unknown; clear(): void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = useCallback(async (task: () => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    try {
      await task();
      return true;
    } catch (failure) {
      setError(failure);
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  return { run, busy, error, clear: useCallback(() => setError(undefined), []) };
}
