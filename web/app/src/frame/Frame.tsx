import { Text, VisuallyHidden } from '@mantine/core';
import { Conversation } from '../conversation/Conversation';
import { ConversationList } from '../conversations/ConversationList';
import { Devices } from '../devices/Devices';
import { useNavigation } from '../nav/navigation';
import { Announcer } from '../notices/Announcer';
import { useNotices } from '../notices/notices';
import { useTitle } from '../notices/title';
import { AddContact } from '../people/AddContact';
import { InvitationDialog } from '../people/InvitationDialog';
import { PersonPanel } from '../people/PersonPanel';
import { ShareIdentity } from '../people/ShareIdentity';
import { Refused } from '../settings/Refused';
import { Settings } from '../settings/Settings';
import { ConnectionLine } from './ConnectionLine';
import classes from './Frame.module.css';
import { IconLock } from '../ui/icons';

/** The two panes, of which a phone shows one, and what opens above them. */
export function Frame() {
  const { view, back } = useNavigation();
  useNotices();
  useTitle();
  const close = () => back({ peer: view.peer });
  return (
    <div className={classes.frame}>
      <ConnectionLine />
      <main className={classes.panes} data-open={view.peer ? 'conversation' : 'list'}>
        <VisuallyHidden component="h1">Letterlock</VisuallyHidden>
        <ConversationList />
        <div className={classes.main}>{view.peer ? <Conversation key={view.peer} peer={view.peer} at={view.at} /> : <Nothing />}</div>
      </main>
      <Announcer />
      <InvitationDialog />
      <AddContact opened={view.panel === 'add'} onClose={close} />
      <ShareIdentity opened={view.panel === 'share'} onClose={close} />
      <Settings opened={view.panel === 'settings'} onClose={close} />
      <Devices opened={view.panel === 'devices'} onClose={close} />
      <Refused opened={view.panel === 'refused'} onClose={close} />
      <PersonPanel opened={view.panel === 'person'} peer={view.peer} onClose={close} />
    </div>
  );
}

function Nothing() {
  return (
    <div className={classes.nothing}>
      <IconLock size={40} stroke={1.4} aria-hidden="true" />
      <Text fw={600}>Choose a conversation</Text>
      <Text size="sm" c="dimmed" maw="24rem">
        Messages are locked on your device and opened on theirs. The server in between cannot read them.
      </Text>
    </div>
  );
}
