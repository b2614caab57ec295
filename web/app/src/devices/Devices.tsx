import type { Device } from '@letterlock/core';
import { Badge, Button, Card, Drawer, Group, Loader, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useLive } from '../core/live';
import { useSelf } from '../core/values';
import { ErrorText } from '../ui/ErrorText';
import { IconDevices } from '../ui/icons';
import { Question } from '../ui/Question';
import { day } from '../ui/times';
import { LinkDevice } from './LinkDevice';

export function Devices({ opened, onClose }: { opened: boolean; onClose(): void }) {
  return (
    <Drawer opened={opened} onClose={onClose} title="Linked devices">
      {opened && <DeviceList />}
    </Drawer>
  );
}

function DeviceList() {
  const letterlock = useLetterlock();
  const self = useSelf();
  const { value: devices, error, refresh } = useLive((letterlock) => letterlock.devices(), (change) => change.devices);
  const [linking, setLinking] = useState(false);
  const [unlinking, setUnlinking] = useState<Device>();
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        Every device has keys of its own. What you write on one shows on all of them from then on.
      </Text>
      {!devices && !error && <Loader size="sm" aria-label="Loading" />}
      <ErrorText error={error} />
      {Boolean(error) && (
        <Button variant="light" onClick={refresh}>
          Try again
        </Button>
      )}
      <Stack component="ul" p={0} m={0} gap="sm" aria-label="Devices">
        {devices?.map((device) => (
          <Card key={device.device} component="li" withBorder padding="md">
            <Group wrap="nowrap" align="flex-start">
              <IconDevices size={24} aria-hidden="true" />
              <Stack gap={4} flex={1} miw={0}>
                <Group gap="xs">
                  <Text fw={600} ff="monospace" size="sm" title={device.device}>
                    {device.device.slice(0, 9)}…
                  </Text>
                  {device.this && <Badge variant="light">This device</Badge>}
                </Group>
                <Text size="xs" c="dimmed">
                  Since {day(device.createdAt)}
                  {device.manages && ' · can link and unlink devices'}
                </Text>
              </Stack>
              {!device.this && self?.manages && (
                <Button size="compact-sm" variant="light" color="red" onClick={() => setUnlinking(device)}>
                  Unlink
                </Button>
              )}
            </Group>
          </Card>
        ))}
      </Stack>
      {self?.manages ? (
        <Button onClick={() => setLinking(true)}>Link a new device</Button>
      ) : (
        self && (
          <Text size="sm" c="dimmed">
            This device cannot link others. Use one that can.
          </Text>
        )
      )}
      <LinkDevice opened={linking} onClose={() => (setLinking(false), refresh())} />
      <Question
        opened={unlinking !== undefined}
        title="Unlink this device?"
        yes="Unlink"
        danger
        onNo={() => setUnlinking(undefined)}
        onYes={async () => {
          if (unlinking) await letterlock.unlink(unlinking.device);
          setUnlinking(undefined);
          refresh();
        }}
      >
        It gets no more messages and cannot send any. What it holds already stays on it.
      </Question>
    </Stack>
  );
}
