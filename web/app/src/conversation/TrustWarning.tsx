import type { Trust, UserId } from '@letterlock/core';
import { Button } from '@mantine/core';
import { useLetterlock } from '../core/letterlock';
import { wordsOfAlarm } from '../core/words';
import { useNavigation } from '../nav/navigation';
import { showFailure } from '../ui/failures';
import { day } from '../ui/times';
import { Banner } from './Banner';

/** Says what is wrong with what is known of somebody, and lets the user decide. */
export function TrustWarning({ peer, name, trust }: { peer: UserId; name: string; trust: Trust }) {
  const letterlock = useLetterlock();
  const { view, go } = useNavigation();
  if (!trust.blocked && !trust.alarm) return null;
  const actions = (
    <>
      <Button size="xs" onClick={() => go({ ...view, panel: 'person' })}>
        Compare safety number
      </Button>
      <Button size="xs" variant="default" onClick={() => void letterlock.accept(peer).catch(showFailure)}>
        {trust.blocked ? 'Accept without comparing' : 'I have seen this'}
      </Button>
    </>
  );
  if (trust.changed) {
    return (
      <Banner warning title={`${trust.changed.name} has a new identity`} actions={actions}>
        Since {day(trust.changed.at)} this name stands for other keys. They may have started anew, or somebody may pose as them. Nothing is
        sent until you decide.
      </Banner>
    );
  }
  return (
    <Banner warning title={`Something is wrong with ${name}'s keys`} actions={actions}>
      {trust.alarm && wordsOfAlarm(trust.alarm)} What you had before stays in force.
    </Banner>
  );
}
