import type { UserId } from '@letterlock/core';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';

export type Panel = 'settings' | 'devices' | 'person' | 'share' | 'add' | 'refused';

/** What is on the screen. It lives in the browser's history, so that its back button works, and in no address. */
export interface View {
  peer?: UserId;
  /** A message to show, from a search. */
  at?: number;
  panel?: Panel;
}

export interface Navigation {
  view: View;
  /** Opens a view; the back button comes back from it. */
  go(view: View): void;
  /** Leaves the view for the one that it was opened from, or for `otherwise`. */
  back(otherwise: View): void;
}

interface Entry {
  view: View;
  depth: number;
}

const Context = createContext<Navigation | null>(null);

export function NavigationProvider({ children }: { children: ReactNode }) {
  const [entry, setEntry] = useState(current);
  useEffect(() => {
    const moved = () => setEntry(current());
    window.addEventListener('popstate', moved);
    return () => window.removeEventListener('popstate', moved);
  }, []);

  const go = useCallback((view: View) => {
    const { view: from, depth } = current();
    // From one conversation to the next is no step: back leads to the list.
    const replaces = !view.panel && !from.panel && from.peer !== undefined && view.peer !== undefined;
    const next = { view, depth: replaces ? depth : depth + 1 };
    if (replaces) history.replaceState(next, '');
    else history.pushState(next, '');
    setEntry(next);
  }, []);
  const back = useCallback((otherwise: View) => {
    if (current().depth > 0) {
      history.back();
      return;
    }
    const next = { view: otherwise, depth: 0 };
    history.replaceState(next, '');
    setEntry(next);
  }, []);
  const navigation = useMemo(() => ({ view: entry.view, go, back }), [entry, go, back]);
  return <Context value={navigation}>{children}</Context>;
}

export function useNavigation(): Navigation {
  const navigation = useContext(Context);
  if (!navigation) throw new Error('useNavigation outside of NavigationProvider');
  return navigation;
}

function current(): Entry {
  const state = history.state as Entry | null;
  return state?.view ? state : { view: {}, depth: 0 };
}
