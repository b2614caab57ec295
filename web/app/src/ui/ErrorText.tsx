import { Alert } from '@mantine/core';
import { wordsOf } from '../core/words';

export function ErrorText({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <Alert color="red" variant="light" role="alert" p="sm">
      {wordsOf(error)}
    </Alert>
  );
}
