import type { Connection, Events, Letterlock, Phase, Status } from '@letterlock/core';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';

const Context = createContext<Letterlock | null>(null);

export function LetterlockProvider({ letterlock, children }: { letterlock: Letterlock; children: ReactNode }) {
  return <Context value={letterlock}>{children}</Context>;
}

/** The device of this browser. */
export function useLetterlock(): Letterlock {
  const letterlock = useContext(Context);
  if (!letterlock) throw new Error('useLetterlock outside of LetterlockProvider');
  return letterlock;
}

export function usePhase(): Phase {
  return useStatus((status) => status.phase);
}

export function useConnection(): Connection {
  return useStatus((status) => status.connection);
}

export function useStatus<T>(pick: (status: Status) => T): T {
  const letterlock = useLetterlock();
  const subscribe = useMemo(() => (changed: () => void) => letterlock.on('status', changed), [letterlock]);
  const latest = useMemo(() => latestStatus(letterlock), [letterlock]);
  return pick(useSyncExternalStore(subscribe, latest));
}

/** Calls a listener for an event for as long as the component is there. */
export function useEvent<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): void {
  const letterlock = useLetterlock();
  useEffect(() => letterlock.on(event, listener), [letterlock, event, listener]);
}

/** status() may make a new object each time; React wants the same one until something has changed. */
function latestStatus(letterlock: Letterlock): () => Status {
  let held = letterlock.status();
  return () => {
    const now = letterlock.status();
    if (JSON.stringify(now) !== JSON.stringify(held)) held = now;
    return held;
  };
}
