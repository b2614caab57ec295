import type { Notice } from '@letterlock/core';
import { VisuallyHidden } from '@mantine/core';
import { useCallback, useState } from 'react';
import { useEvent } from '../core/letterlock';
import { useConversations } from '../core/values';
import { useNavigation } from '../nav/navigation';

const LONGEST = 300;

/** Reads new messages out to screen readers: those of the open conversation with their text, others by name. */
export function Announcer() {
  const { view } = useNavigation();
  const conversations = useConversations();
  const [words, setWords] = useState('');
  const notice = useCallback(
    ({ message }: Notice) => {
      if (!message || message.outgoing) return;
      const name = conversations?.find(({ peer }) => peer === message.peer)?.name || 'somebody new';
      setWords(message.peer === view.peer ? `${name}: ${message.text.slice(0, LONGEST)}` : `New message from ${name}`);
    },
    [conversations, view.peer],
  );
  useEvent('notice', notice);
  return (
    <VisuallyHidden role="log" aria-live="polite" aria-label="News">
      {words}
    </VisuallyHidden>
  );
}
