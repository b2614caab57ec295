import { Button, Text } from '@mantine/core';
import { useEffect } from 'react';
import { wordsOf } from '../core/words';
import { Page } from './Page';

export function Closed() {
  // Whoever begins here next begins at the beginning.
  useEffect(() => history.replaceState(null, ''), []);
  return (
    <Page title="You have signed out">
      <Text ta="center" c="dimmed">
        Everything that Letterlock kept in this browser is erased.
      </Text>
      <Button onClick={startAgain}>Start again</Button>
    </Page>
  );
}

/** The device could not be opened at all. */
export function Broken({ error }: { error: unknown }) {
  return (
    <Page title="Letterlock cannot start">
      <Text ta="center">{wordsOf(error)}</Text>
      <Button onClick={startAgain}>Try again</Button>
    </Page>
  );
}

function startAgain(): void {
  history.replaceState(null, '');
  location.reload();
}
