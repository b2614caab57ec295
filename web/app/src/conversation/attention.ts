import { useSyncExternalStore } from 'react';

/** Whether somebody looks at this page: it is visible and has the focus. */
export function useAttention(): boolean {
  return useSyncExternalStore(subscribe, hasAttention);
}

export function hasAttention(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}

function subscribe(changed: () => void): () => void {
  const ends = new AbortController();
  for (const event of ['focus', 'blur']) window.addEventListener(event, changed, { signal: ends.signal });
  document.addEventListener('visibilitychange', changed, { signal: ends.signal });
  return () => ends.abort();
}
