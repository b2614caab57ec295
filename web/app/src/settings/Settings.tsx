import { Button, Divider, Drawer, Group, SegmentedControl, Stack, Switch, Text, TextInput, Title, useMantineColorScheme } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useLetterlock } from '../core/letterlock';
import { useLive } from '../core/live';
import { useSetting } from '../core/settings';
import { useNavigation } from '../nav/navigation';
import { askToNotify, canNotify } from '../notices/system';
import { showDone, showFailure } from '../ui/failures';
import { About } from './About';
import { DeleteAccount } from './DeleteAccount';
import { ExportAccount } from './ExportAccount';
import { Passphrase } from './Passphrase';
import { SignOut } from './SignOut';

export function Settings({ opened, onClose }: { opened: boolean; onClose(): void }) {
  return (
    <Drawer opened={opened} onClose={onClose} title="Settings">
      {opened && <Sections />}
    </Drawer>
  );
}

function Sections() {
  const { view, go } = useNavigation();
  return (
    <Stack gap="lg">
      <Section title="Me">
        <MyName />
        <Group gap="xs">
          <Button variant="light" onClick={() => go({ ...view, panel: 'share' })}>
            Share my link
          </Button>
          <Button variant="light" onClick={() => go({ ...view, panel: 'devices' })}>
            Linked devices
          </Button>
        </Group>
      </Section>
      <Section title="Privacy">
        <Receipts />
        <Passphrase />
        <Button variant="subtle" color="gray" justify="flex-start" px={0} onClick={() => go({ ...view, panel: 'refused' })}>
          Messages that were refused
        </Button>
      </Section>
      <Section title="This browser">
        <Theme />
        <Notifications />
      </Section>
      <Section title="About">
        <About />
      </Section>
      <Section title="Account">
        <ExportAccount />
        <DeleteAccount />
        <SignOut />
      </Section>
    </Stack>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack component="section" gap="sm" aria-label={title}>
      <Title order={3} size="h5">
        {title}
      </Title>
      {children}
      <Divider mt="xs" />
    </Stack>
  );
}

function MyName() {
  const [stored, setStored, read] = useSetting('name');
  const [name, setName] = useState<string>();
  const changed = name !== undefined && name.trim() !== (stored ?? '');
  const save = () => setStored((name ?? '').trim()).then(() => showDone('The name is saved.'), showFailure);
  return (
    <Group align="flex-end" wrap="nowrap" gap="xs">
      <TextInput
        flex={1}
        label="My name"
        description="What your link suggests to others."
        value={name ?? stored ?? ''}
        onChange={(event) => setName(event.currentTarget.value)}
        disabled={!read}
        maxLength={64}
        autoComplete="off"
      />
      <Button variant="light" disabled={!changed} onClick={() => void save()}>
        Save
      </Button>
    </Group>
  );
}

function Receipts() {
  const letterlock = useLetterlock();
  const { value: receipts } = useLive((letterlock) => letterlock.receipts(), (change) => change.settings);
  const set = (change: object) => receipts && void letterlock.setReceipts({ ...receipts, ...change }).catch(showFailure);
  return (
    <>
      <Switch
        label="Tell others when their messages have arrived"
        checked={receipts?.delivered ?? false}
        disabled={!receipts}
        onChange={(event) => set({ delivered: event.currentTarget.checked })}
      />
      <Switch
        label="Tell others when I have read their messages"
        checked={receipts?.read ?? false}
        disabled={!receipts}
        onChange={(event) => set({ read: event.currentTarget.checked })}
      />
    </>
  );
}

function Theme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Group justify="space-between">
      <Text size="sm" id="theme">
        Appearance
      </Text>
      <SegmentedControl
        aria-labelledby="theme"
        value={colorScheme}
        onChange={(value) => setColorScheme(value as typeof colorScheme)}
        data={[
          { value: 'light', label: 'Light' },
          { value: 'dark', label: 'Dark' },
          { value: 'auto', label: 'Auto' },
        ]}
      />
    </Group>
  );
}

function Notifications() {
  const [enabled, setEnabled, read] = useSetting('notifications');
  const change = async (wanted: boolean) => {
    const allowed = !wanted || (await askToNotify());
    if (!allowed) showFailure(new Error('This browser does not allow notifications for this page. Its settings decide that.'));
    await setEnabled(wanted && allowed);
  };
  return (
    <Switch
      label="Notify me of new messages"
      description="While Letterlock is open in a tab. Shows who wrote, not what."
      checked={enabled ?? false}
      disabled={!read || !canNotify()}
      onChange={(event) => void change(event.currentTarget.checked).catch(showFailure)}
    />
  );
}
