import type { Conversation, UserId } from '@letterlock/core';
import { Badge, Text, UnstyledButton } from '@mantine/core';
import { memo } from 'react';
import { MessageState } from '../conversation/MessageState';
import { shortId } from '../core/values';
import { Face } from '../ui/Face';
import { IconAlert, IconVerified } from '../ui/icons';
import { briefTime } from '../ui/times';
import classes from './ConversationRow.module.css';

interface Props {
  conversation: Conversation;
  selected: boolean;
  onOpen(peer: UserId): void;
}

export const ConversationRow = memo(function ConversationRow({ conversation, selected, onOpen }: Props) {
  const { peer, last, unread } = conversation;
  const name = conversation.name || shortId(peer);
  return (
    <li>
      <UnstyledButton className={classes.row} aria-current={selected || undefined} onClick={() => onOpen(peer)}>
        <Face user={peer} name={name} />
        <span className={classes.middle}>
          <span className={classes.line}>
            <Text component="span" fw={unread ? 700 : 600} truncate>
              {name}
            </Text>
            {conversation.verified && <IconVerified size={15} role="img" aria-label="Verified" className={classes.verified} />}
            {last && (
              <Text component="time" size="xs" c="dimmed" className={classes.time}>
                {briefTime(last.outgoing ? last.sentAt : last.receivedAt)}
              </Text>
            )}
          </span>
          <span className={classes.line}>
            <Preview conversation={conversation} />
            {conversation.blocked && <IconAlert size={18} role="img" aria-label="Needs your decision" className={classes.warning} />}
            {unread > 0 && (
              <Badge size="md" circle={unread < 10} className={classes.unread} aria-label={`${unread} unread`}>
                {unread > 999 ? '999+' : unread}
              </Badge>
            )}
          </span>
        </span>
      </UnstyledButton>
    </li>
  );
});

function Preview({ conversation: { draft, last, unread } }: { conversation: Conversation }) {
  if (draft) {
    return (
      <Text component="span" size="sm" c="dimmed" truncate className={classes.preview}>
        <span className={classes.draft}>Draft:</span> {draft}
      </Text>
    );
  }
  if (!last) {
    return (
      <Text component="span" size="sm" c="dimmed" truncate className={classes.preview}>
        No messages yet
      </Text>
    );
  }
  return (
    <>
      {last.outgoing && <MessageState message={last} />}
      <Text component="span" size="sm" c={unread ? undefined : 'dimmed'} truncate className={classes.preview}>
        {last.unsupported ? 'A message that needs a newer version' : last.text}
      </Text>
    </>
  );
}
