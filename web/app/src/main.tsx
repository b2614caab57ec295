import './trustedtypes';
import './ui/components.css';
import '@mantine/notifications/styles.css';
import './ui/theme.css';
import { open } from '@letterlock/core';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { configuredServer } from './server';
import { theme } from './ui/theme';
import { UpdateOffer } from './update/UpdateOffer';
import { Broken } from './welcome/Closed';

const root = createRoot(document.getElementById('root') as HTMLElement);

/** Run-time variables and classes would be <style> elements, which the Content-Security-Policy refuses. */
function show(content: ReactNode): void {
  root.render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
        <Notifications position="top-center" limit={4} />
        <UpdateOffer />
        {content}
      </MantineProvider>
    </StrictMode>,
  );
}

try {
  const letterlock = await open({ server: configuredServer() });
  show(<App letterlock={letterlock} />);
} catch (error) {
  show(<Broken error={error} />);
}
