import type { Notice, UserId } from '@letterlock/core';
import { notifications } from '@mantine/notifications';
import { useCallback, useEffect, useRef } from 'react';
import { hasAttention } from '../conversation/attention';
import { useEvent } from '../core/letterlock';
import { useSetting } from '../core/settings';
import { shortId, useConversations } from '../core/values';
import { wordsOfAlarm, wordsOfFailure } from '../core/words';
import { useNavigation } from '../nav/navigation';
import { showNotification } from './system';

/** Tells the user what came in while they look elsewhere: an alarm or a failure always, a message if they want it. */
export function useNotices(): void {
  const { view, go } = useNavigation();
  const [enabled] = useSetting('notifications');
  const conversations = useConversations();
  const latest = useRef({ view, enabled, conversations });
  useEffect(() => {
    latest.current = { view, enabled, conversations };
  });
  const notice = useCallback(
    ({ message, alarm }: Notice) => {
      const { view, enabled, conversations } = latest.current;
      const nameOf = (user: UserId) => conversations?.find(({ peer }) => peer === user)?.name || shortId(user);
      const looksAt = (user: UserId) => hasAttention() && view.peer === user;
      if (alarm && !looksAt(alarm.user)) warn(`A warning about ${nameOf(alarm.user)}`, wordsOfAlarm(alarm));
      if (!message || looksAt(message.peer)) return;
      if (message.outgoing) warn(`A message to ${nameOf(message.peer)} was not sent`, wordsOfFailure(message.failure));
      else if (enabled && !hasAttention()) {
        // The text stays out of it: the system may show it on a locked screen, and keeps it.
        void showNotification(`New message from ${nameOf(message.peer)}`, message.peer, () => go({ peer: message.peer }));
      }
    },
    [go],
  );
  useEvent('notice', notice);
}

function warn(title: string, message: string): void {
  notifications.show({ color: 'red', title, message, autoClose: false, closeButtonProps: { 'aria-label': 'Close' } });
}
