import type { Message } from '@letterlock/core';
import type { ComponentType } from 'react';
import { IconCheck, IconChecks, IconClock, IconFailed, IconRead } from '../ui/icons';
import classes from './MessageState.module.css';

export type StateName = 'Sending' | 'Sent' | 'Delivered' | 'Read' | 'Failed';

const ICONS: Record<StateName, ComponentType<{ size: number }>> = {
  Sending: IconClock,
  Sent: IconCheck,
  Delivered: IconChecks,
  Read: IconRead,
  Failed: IconFailed,
};

/** What became of one's own message, as an icon with a name. */
export function MessageState({ message }: { message: Message }) {
  const name = stateName(message);
  const Icon = ICONS[name];
  return (
    <span role="img" aria-label={name} title={name} className={classes.state} data-state={name}>
      <Icon size={15} />
    </span>
  );
}

export function stateName(message: Message): StateName {
  if (message.state === 'queued') return 'Sending';
  if (message.state === 'failed') return 'Failed';
  if (message.readAt) return 'Read';
  return message.deliveredAt ? 'Delivered' : 'Sent';
}
