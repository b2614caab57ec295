import type { UserId } from '@letterlock/core';
import { Alert, Button, Collapse, Divider, Loader, Stack, Text, Textarea, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useLive } from '../core/live';
import { useTrust } from '../core/values';
import { QrCode } from '../qr/QrCode';
import { QrScanner } from '../qr/QrScanner';
import { ErrorText } from '../ui/ErrorText';
import { showFailure, useTask } from '../ui/failures';
import { IconVerified } from '../ui/icons';
import { day } from '../ui/times';
import classes from './SafetyNumber.module.css';

/** The number that both see alike if nobody stands between them, and the ways to compare it. */
export function SafetyNumber({ peer, name }: { peer: UserId; name: string }) {
  const { value: number, error, refresh } = useLive((letterlock) => letterlock.safetyNumber(peer), (change) => change.trust.includes(peer), [peer]);
  return (
    <Stack component="section" aria-label="Safety number">
      <Title order={3} size="h4">
        Safety number
      </Title>
      <Verified peer={peer} name={name} />
      {!number && !error && <Loader size="sm" aria-label="Loading" />}
      {!number && Boolean(error) && (
        <>
          <ErrorText error={error} />
          <Button variant="light" onClick={refresh}>
            Try again
          </Button>
        </>
      )}
      {number && (
        <>
          <p className={classes.digits} aria-label="The 60 digits">
            {number.digits.split(/\s+/).map((group, index) => (
              <span key={index}>{group}</span>
            ))}
          </p>
          <QrCode text={number.code} label="QR code of the safety number" />
          <Compare peer={peer} name={name} />
        </>
      )}
    </Stack>
  );
}

function Verified({ peer, name }: { peer: UserId; name: string }) {
  const letterlock = useLetterlock();
  const trust = useTrust(peer);
  if (!trust?.verifiedAt) {
    return (
      <Text size="sm" c="dimmed">
        Compare it with {name} in person or on a call: if both of you see the same, nobody stands between you.
      </Text>
    );
  }
  return (
    <Alert color="teal" icon={<IconVerified />} title="Verified">
      You compared it on {day(trust.verifiedAt)}.{' '}
      <Button size="compact-xs" variant="subtle" onClick={() => void letterlock.unverify(peer).catch(showFailure)}>
        Take it back
      </Button>
    </Alert>
  );
}

function Compare({ peer, name }: { peer: UserId; name: string }) {
  const letterlock = useLetterlock();
  const [opened, setOpened] = useState(false);
  const [shown, setShown] = useState('');
  const task = useTask();
  const verify = async (text: string) => {
    if (await task.run(() => letterlock.verify(peer, text.trim()))) {
      setOpened(false);
      setShown('');
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void verify(shown);
  };
  return (
    <>
      <Button variant={opened ? 'default' : 'filled'} onClick={() => setOpened(!opened)} aria-expanded={opened}>
        {opened ? 'Not now' : `Compare with ${name}`}
      </Button>
      <Collapse expanded={opened}>
        <Stack>
          <QrScanner onCode={(text) => void verify(text)} />
          <Divider label="or type or paste what they see" />
          <form onSubmit={submit}>
            <Stack gap="sm">
              <Textarea
                label="Their 60 digits, or their code"
                value={shown}
                onChange={(event) => (setShown(event.currentTarget.value), task.clear())}
                rows={3}
                required
                autoComplete="off"
                spellCheck={false}
              />
              <Button type="submit" variant="light" loading={task.busy}>
                Compare
              </Button>
            </Stack>
          </form>
        </Stack>
      </Collapse>
      <ErrorText error={task.error} />
    </>
  );
}
