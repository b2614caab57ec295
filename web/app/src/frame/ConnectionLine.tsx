import type { Connection } from '@letterlock/core';
import { Button, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useConnect } from '../core/network';
import { useConnection } from '../core/letterlock';
import { IconOffline } from '../ui/icons';
import classes from './ConnectionLine.module.css';
import { InviteAgain } from './InviteAgain';

/** A connection that comes at once needs no words. */
const SHORT_MS = 1500;

const WORDS: Partial<Record<Connection['state'], string>> = {
  connecting: 'Connecting…',
  waiting: 'Offline. Messages will be sent when you are back.',
  superseded: 'Letterlock runs with this device in another place.',
  removed: 'This device was unlinked, or its account was deleted. It keeps its history, but sends and receives nothing.',
  clock: "This computer's clock is wrong. Set it right, and try again.",
  failed: 'The connection has failed.',
};

/** Says how it stands with the server, if there is something to say. */
export function ConnectionLine() {
  const connection = useConnection();
  const connect = useConnect();
  const settled = useSettled(connection);
  const words = WORDS[settled.state];
  const uninvited = settled.state === 'failed' && settled.code === 'INVITE_REQUIRED';
  const again = !uninvited && { superseded: 'Use here', clock: 'Try again', failed: 'Try again', waiting: 'Try now' }[settled.state as string];
  return (
    <div className={classes.place} role="status" aria-label="Connection" data-state={settled.state}>
      {words && (
        <div className={classes.line}>
          <IconOffline size={16} aria-hidden="true" />
          <Text size="sm" component="span">
            {words} {settled.state === 'failed' && settled.reason}
          </Text>
          {uninvited && <InviteAgain />}
          {again && (
            <Button size="compact-xs" variant="white" onClick={connect}>
              {again}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

/** The connection, but nothing of it that passes at once. */
function useSettled(connection: Connection): Connection {
  const [settled, setSettled] = useState<Connection>({ state: 'idle' });
  useEffect(() => {
    if (connection.state !== 'connecting' && connection.state !== 'waiting') {
      setSettled(connection);
      return;
    }
    const timer = setTimeout(() => setSettled(connection), SHORT_MS);
    return () => clearTimeout(timer);
  }, [connection]);
  return settled;
}
