import type { UserId } from '@letterlock/core';
import { Button, type ButtonProps } from '@mantine/core';
import { useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useBlocked } from '../core/values';
import { Question } from '../ui/Question';
import { showFailure } from '../ui/failures';

/** Blocks somebody, after a question, or takes it back. */
export function BlockButton({ peer, name, size }: { peer: UserId; name: string; size: ButtonProps['size'] }) {
  const letterlock = useLetterlock();
  const blocked = useBlocked(peer);
  const [asks, setAsks] = useState(false);
  if (blocked) {
    return (
      <Button size={size} variant="light" onClick={() => void letterlock.unblock(peer).catch(showFailure)}>
        Unblock
      </Button>
    );
  }
  return (
    <>
      <Button size={size} variant="light" color="red" onClick={() => setAsks(true)}>
        Block
      </Button>
      <Question
        opened={asks}
        title={`Block ${name}?`}
        yes="Block"
        danger
        onNo={() => setAsks(false)}
        onYes={async () => {
          await letterlock.block(peer);
          setAsks(false);
        }}
      >
        Nothing that they send reaches this device any more, and they are not told. What you have said to each other stays.
      </Question>
    </>
  );
}
