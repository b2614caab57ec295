import type { UserId } from '@letterlock/core';
import { Button, Code, Drawer, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useContacts, useName } from '../core/values';
import { Face } from '../ui/Face';
import { Question } from '../ui/Question';
import { BlockButton } from './BlockButton';
import { NameDialog } from './NameDialog';
import { SafetyNumber } from './SafetyNumber';

export function PersonPanel({ opened, peer, onClose }: { opened: boolean; peer?: UserId; onClose(): void }) {
  return (
    <Drawer opened={opened && peer !== undefined} onClose={onClose} title="About this person">
      {peer && <Person peer={peer} />}
    </Drawer>
  );
}

function Person({ peer }: { peer: UserId }) {
  const letterlock = useLetterlock();
  const name = useName(peer);
  const contact = useContacts()?.find(({ user }) => user === peer);
  const [asks, setAsks] = useState<'name' | 'remove'>();
  const close = () => setAsks(undefined);
  return (
    <Stack gap="lg">
      <Group wrap="nowrap">
        <Face user={peer} name={name} size="lg" />
        <Stack gap={6}>
          <Text fw={600} size="xl">
            {name}
          </Text>
          <Group gap="xs">
            <Button size="compact-sm" variant="light" onClick={() => setAsks('name')}>
              {contact ? 'Rename' : 'Add a name'}
            </Button>
            {contact && (
              <Button size="compact-sm" variant="light" color="red" onClick={() => setAsks('remove')}>
                Remove
              </Button>
            )}
            <BlockButton peer={peer} name={name} size="compact-sm" />
          </Group>
        </Stack>
      </Group>
      <div>
        <Text size="sm" fw={500}>
          Id
        </Text>
        <Code block>{peer}</Code>
      </div>
      <SafetyNumber peer={peer} name={name} />
      <NameDialog opened={asks === 'name'} user={peer} former={contact?.name} onClose={close} />
      <Question
        opened={asks === 'remove'}
        title={`Remove ${name}?`}
        yes="Remove"
        danger
        onNo={close}
        onYes={async () => {
          if (contact) await letterlock.removeContact(contact.name);
          close();
        }}
      >
        Only the name is removed. The conversation stays, and they can still write to you, unless you block them.
      </Question>
    </Stack>
  );
}
