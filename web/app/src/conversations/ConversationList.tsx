import { ActionIcon, Button, CloseButton, Group, Text, TextInput, Title, Tooltip } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type ReactNode, useCallback, useState } from 'react';
import type { UserId } from '@letterlock/core';
import { useConversations } from '../core/values';
import { useNavigation } from '../nav/navigation';
import { IconPersonAdd, IconSearch, IconSettings, IconShare } from '../ui/icons';
import classes from './ConversationList.module.css';
import { ConversationRow } from './ConversationRow';
import { SearchResults } from './SearchResults';

const TYPING_MS = 200;

export function ConversationList() {
  const { view, go } = useNavigation();
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search.trim(), TYPING_MS);
  const open = useCallback((peer: UserId, at?: number) => go({ peer, at }), [go]);
  return (
    <nav className={classes.pane} aria-label="Conversations and search">
      <div className={classes.header}>
        <Title order={2} size="h3" aria-hidden="true">
          Letterlock
        </Title>
        <Group gap={4}>
          <Action label="Share my link" onClick={() => go({ ...view, panel: 'share' })}>
            <IconShare size={21} />
          </Action>
          <Action label="Add a contact" onClick={() => go({ ...view, panel: 'add' })}>
            <IconPersonAdd size={21} />
          </Action>
          <Action label="Settings" onClick={() => go({ ...view, panel: 'settings' })}>
            <IconSettings size={21} />
          </Action>
        </Group>
      </div>
      <div className={classes.search}>
        <TextInput
          type="search"
          radius="xl"
          aria-label="Search"
          placeholder="Search people and messages"
          leftSection={<IconSearch size={17} />}
          rightSection={search && <CloseButton size="sm" aria-label="Clear the search" onClick={() => setSearch('')} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && setSearch('')}
        />
      </div>
      {settled ? <SearchResults text={settled} onOpen={open} /> : <All selected={view.peer} onOpen={open} />}
    </nav>
  );
}

function All({ selected, onOpen }: { selected?: UserId; onOpen(peer: UserId): void }) {
  const { view, go } = useNavigation();
  const conversations = useConversations();
  if (conversations?.length === 0) {
    return (
      <div className={classes.empty}>
        <Text fw={600}>Nobody here yet</Text>
        <Text size="sm" c="dimmed">
          Share your link with somebody, or open theirs.
        </Text>
        <Button onClick={() => go({ ...view, panel: 'share' })}>Share my link</Button>
        <Button variant="light" onClick={() => go({ ...view, panel: 'add' })}>
          Add a contact
        </Button>
      </div>
    );
  }
  return (
    <ul className={classes.list} aria-label="Conversations" aria-busy={conversations === undefined}>
      {conversations?.map((conversation) => (
        <ConversationRow
          key={conversation.peer}
          conversation={conversation}
          selected={conversation.peer === selected}
          onOpen={onOpen}
        />
      ))}
    </ul>
  );
}

function Action({ label, onClick, children }: { label: string; onClick(): void; children: ReactNode }) {
  return (
    <Tooltip label={label} openDelay={500}>
      <ActionIcon onClick={onClick} aria-label={label}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
