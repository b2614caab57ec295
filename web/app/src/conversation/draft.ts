import type { UserId } from '@letterlock/core';
import { useEffect, useMemo } from 'react';
import { useLetterlock } from '../core/letterlock';

const QUIET_MS = 800;

export interface Draft {
  /** Keeps the text once nothing was typed for a moment. */
  later(text: string): void;
  /** What was typed is on its way: sending it forgets what was kept. */
  sent(): void;
}

/** Keeps what is being written to somebody; at the latest when the conversation or the page is left. */
export function useDraft(peer: UserId): Draft {
  const letterlock = useLetterlock();
  const draft = useMemo(() => {
    let waiting: string | undefined;
    let timer: number | undefined;
    const flush = () => {
      window.clearTimeout(timer);
      const text = waiting;
      waiting = undefined;
      if (text !== undefined) letterlock.setDraft(peer, text).catch(() => {}); // signed out meanwhile: nothing to keep
    };
    const later = (text: string) => {
      waiting = text;
      window.clearTimeout(timer);
      timer = window.setTimeout(flush, QUIET_MS);
    };
    const sent = () => {
      window.clearTimeout(timer);
      waiting = undefined;
    };
    return { later, sent, flush };
  }, [letterlock, peer]);
  useEffect(() => {
    const hidden = () => document.visibilityState === 'hidden' && draft.flush();
    document.addEventListener('visibilitychange', hidden);
    window.addEventListener('pagehide', draft.flush);
    return () => {
      document.removeEventListener('visibilitychange', hidden);
      window.removeEventListener('pagehide', draft.flush);
      draft.flush();
    };
  }, [draft]);
  return draft;
}
