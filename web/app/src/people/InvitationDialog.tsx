import { Modal, Stack, Text } from '@mantine/core';
import { useInvitation } from '../nav/invitation';
import { useNavigation } from '../nav/navigation';
import { ContactForm } from './ContactForm';

/** Asks about a contact link that was opened. */
export function InvitationDialog() {
  const [invitation, answered] = useInvitation();
  const { go } = useNavigation();
  const done = () => {
    if (!invitation) return;
    answered();
    go({ peer: invitation.user });
  };
  return (
    <Modal opened={invitation !== null} onClose={answered} title={invitation?.name ? `Write with ${invitation.name}?` : 'Write with this person?'}>
      {invitation && (
        <Stack>
          <Text size="sm" c="dimmed">
            You opened a contact link. Go on if you have it from the person themselves.
          </Text>
          <ContactForm key={invitation.user} user={invitation.user} suggestion={invitation.name} onCancel={answered} onDone={done} />
        </Stack>
      )}
    </Modal>
  );
}
