import type { Letterlock } from '@letterlock/core';
import { LetterlockProvider, usePhase } from './core/letterlock';
import { NetworkProvider } from './core/network';
import { ConversationsProvider } from './core/values';
import { Frame } from './frame/Frame';
import { NavigationProvider } from './nav/navigation';
import { Closed } from './welcome/Closed';
import { Unlock } from './welcome/Unlock';
import { Welcome } from './welcome/Welcome';

export function App({ letterlock }: { letterlock: Letterlock }) {
  return (
    <LetterlockProvider letterlock={letterlock}>
      <NetworkProvider letterlock={letterlock}>
        <Screen />
      </NetworkProvider>
    </LetterlockProvider>
  );
}

function Screen() {
  switch (usePhase()) {
    case 'empty':
      return <Welcome />;
    case 'locked':
      return <Unlock />;
    case 'closed':
      return <Closed />;
    case 'ready':
      return (
        <NavigationProvider>
          <ConversationsProvider>
            <Frame />
          </ConversationsProvider>
        </NavigationProvider>
      );
  }
}
