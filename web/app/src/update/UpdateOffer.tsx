import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useEffect } from 'react';
import { useRegisterSW } from 'virtual:pwa-register/react';
import { lookForUpdates } from './update';

const ID = 'update';

/**
 * Keeps the client's files for when there is no network, and says when there are newer ones. They take over when the person
 * says so, in all tabs at once: never in the middle of a sentence.
 */
export function UpdateOffer() {
  const {
    needRefresh: [ready],
    updateServiceWorker,
  } = useRegisterSW({
    onRegisteredSW: (_address, registration) => registration && lookForUpdates(registration),
    // A private window or a host without https: all but offline starts works.
    onRegisterError: () => undefined,
  });
  useEffect(() => {
    if (!ready) return;
    notifications.show({
      id: ID,
      autoClose: false,
      closeButtonProps: { 'aria-label': 'Later' },
      message: (
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm">A new version is ready.</Text>
          <Button size="compact-sm" onClick={() => void updateServiceWorker(true)}>
            Reload
          </Button>
        </Group>
      ),
    });
    return () => void notifications.hide(ID);
  }, [ready, updateServiceWorker]);
  return null;
}
