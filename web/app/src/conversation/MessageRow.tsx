import type { Message } from '@letterlock/core';
import { Button, VisuallyHidden } from '@mantine/core';
import { memo } from 'react';
import { wordsOfFailure, wordsOfMark } from '../core/words';
import { clockTime, dayHeading, fullTime, sameDay } from '../ui/times';
import { LinkedText } from './LinkedText';
import classes from './MessageRow.module.css';
import { MessageState } from './MessageState';

/** Messages of one sender within this time stand close together. */
const CLOSE_MS = 5 * 60_000;

interface Props {
  message: Message;
  before?: Message;
  after?: Message;
  name: string;
  marked: boolean;
  onSendAgain(message: Message): void;
}

export const MessageRow = memo(function MessageRow({ message, before, after, name, marked, onSendAgain }: Props) {
  const at = timeOf(message);
  const newDay = !before || !sameDay(timeOf(before), at);
  const first = newDay || !before || !close(before, message);
  const last = !after || !sameDay(timeOf(after), at) || !close(message, after);
  return (
    <div className={classes.row} data-first={first || undefined} data-newest={!after || undefined}>
      {newDay && (
        <div className={classes.day}>
          <span>{dayHeading(at)}</span>
        </div>
      )}
      {message.missing > 0 && <p className={classes.gap}>{missingWords(message.missing)}</p>}
      <article className={classes.message} data-own={message.outgoing || undefined} data-last={last || undefined} data-marked={marked || undefined}>
        <VisuallyHidden>{message.outgoing ? 'You' : name}: </VisuallyHidden>
        <div className={classes.bubble}>
          <span className={classes.text} dir="auto">
            {message.unsupported ? <em>A newer version of Letterlock is needed to show this message.</em> : <LinkedText text={message.text} />}
          </span>
          <span className={classes.foot}>
            <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
              {clockTime(at)}
            </time>
            {message.outgoing && <MessageState message={message} />}
          </span>
        </div>
        {message.marks.map((mark) => (
          <p key={mark} className={classes.mark}>
            {wordsOfMark(mark)}
          </p>
        ))}
        {message.state === 'failed' && (
          <div className={classes.failure}>
            <span>{wordsOfFailure(message.failure)}</span>
            <Button size="compact-xs" variant="light" color="red" onClick={() => onSendAgain(message)}>
              Send again
            </Button>
          </div>
        )}
      </article>
    </div>
  );
});

function timeOf(message: Message): number {
  return message.outgoing ? message.sentAt : message.receivedAt || message.sentAt;
}

function close(a: Message, b: Message): boolean {
  return a.outgoing === b.outgoing && timeOf(b) - timeOf(a) < CLOSE_MS;
}

function missingWords(missing: number): string {
  return missing === 1 ? 'One message before this one has not come' : `${missing} messages before this one have not come`;
}
