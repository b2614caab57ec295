import { ApolloClient, InMemoryCache } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import type { Letterlock } from '@letterlock/core';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo } from 'react';
import { usePhase } from './letterlock';

const Connect = createContext<() => void>(() => {});

/** Makes the Apollo Client over the core's link, and lets the core send and receive through it. */
export function NetworkProvider({ letterlock, children }: { letterlock: Letterlock; children: ReactNode }) {
  const client = useMemo(() => new ApolloClient({ link: letterlock.link(), cache: new InMemoryCache() }), [letterlock]);
  const connect = useCallback(() => letterlock.connect(client), [letterlock, client]);
  const phase = usePhase();
  useEffect(() => {
    if (phase !== 'closed') connect();
  }, [connect, phase]);
  return (
    <ApolloProvider client={client}>
      <Connect value={connect}>{children}</Connect>
    </ApolloProvider>
  );
}

/** Connects again after it has ended for good, or at once while it waits. */
export function useConnect(): () => void {
  return useContext(Connect);
}
