import type { UserId } from '@letterlock/core';
import { ActionIcon, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useBlocked, useConversations, useName, useTrust } from '../core/values';
import { useNavigation } from '../nav/navigation';
import { BlockButton } from '../people/BlockButton';
import { Face } from '../ui/Face';
import { IconBack, IconVerified } from '../ui/icons';
import { Composer } from './Composer';
import classes from './Conversation.module.css';
import { MessageList } from './MessageList';
import { Stranger } from './Stranger';
import { TrustWarning } from './TrustWarning';

export function Conversation({ peer, at }: { peer: UserId; at?: number }) {
  const { view, go, back } = useNavigation();
  const name = useName(peer);
  const trust = useTrust(peer);
  const blocked = useBlocked(peer);
  const conversations = useConversations();
  const conversation = conversations?.find((conversation) => conversation.peer === peer);
  return (
    <section className={classes.conversation} aria-label={`Conversation with ${name}`}>
      <header className={classes.header}>
        <ActionIcon className={classes.back} onClick={() => back({})} aria-label="Back to conversations">
          <IconBack size={22} />
        </ActionIcon>
        <UnstyledButton className={classes.person} onClick={() => go({ ...view, panel: 'person' })}>
          <Face user={peer} name={name} />
          <span className={classes.names}>
            <Text component="h2" fw={600} m={0} truncate>
              <VisuallyHidden>About </VisuallyHidden>
              {name}
            </Text>
            <Text component="span" size="xs" c="dimmed" className={classes.verified}>
              {trust?.verifiedAt ? (
                <>
                  <IconVerified size={14} aria-hidden="true" /> Verified
                </>
              ) : (
                'Not verified yet'
              )}
            </Text>
          </span>
        </UnstyledButton>
      </header>
      {trust && <TrustWarning peer={peer} name={name} trust={trust} />}
      {conversation && conversation.name === '' && !blocked && <Stranger peer={peer} />}
      <MessageList key={`${peer} ${at ?? ''}`} peer={peer} name={name} at={at} unread={conversation?.unread ?? 0} />
      {conversations && trust && !trust.blocked && !blocked && <Composer key={peer} peer={peer} draft={conversation?.draft ?? ''} />}
      {blocked && (
        <Text className={classes.blocked} size="sm" c="dimmed" component="div">
          You have blocked {name}. <BlockButton peer={peer} name={name} size="compact-xs" />
        </Text>
      )}
      {trust?.blocked && !blocked && (
        <Text className={classes.blocked} size="sm" c="dimmed">
          You can write again once you have decided about the warning above.
        </Text>
      )}
    </section>
  );
}
