import type { Message, UserId } from '@letterlock/core';
import { useEffect, useRef } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useAttention } from './attention';

/** Tells the core what was shown, once somebody can have looked at it. */
export function useMarkRead(peer: UserId, messages: Message[], lastSeen: number): void {
  const letterlock = useLetterlock();
  const attention = useAttention();
  const told = useRef(0);
  const newest = messages.findLast(({ number, outgoing }) => number <= lastSeen && !outgoing)?.number ?? 0;
  useEffect(() => {
    if (!attention || newest <= told.current) return;
    told.current = newest;
    letterlock.markRead(peer, newest).catch(() => {
      told.current = 0; // it is tried again with the next message that is seen
    });
  }, [letterlock, peer, newest, attention]);
}
