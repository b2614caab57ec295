import { contactLink, type UserId } from '@letterlock/core';
import { Button, Modal, Stack, Text } from '@mantine/core';
import { useSetting } from '../core/settings';
import { useSelf } from '../core/values';
import { QrCode } from '../qr/QrCode';
import { CopyField } from '../ui/CopyField';
import { IconShare } from '../ui/icons';

export function ShareIdentity({ opened, onClose }: { opened: boolean; onClose(): void }) {
  const self = useSelf();
  const [name, , read] = useSetting('name');
  return (
    <Modal opened={opened && self !== undefined && read} onClose={onClose} title="My link">
      {self && <MyLink user={self.user} name={name} />}
    </Modal>
  );
}

function MyLink({ user, name }: { user: UserId; name?: string }) {
  const link = contactLink(location.origin + location.pathname, user, name || undefined);
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        Who has this link can write to you. It holds your id, from which your keys can be checked, and no secret.
      </Text>
      <QrCode text={link} label="QR code of my link" />
      <CopyField label="Link" value={link} />
      <CopyField label="Id" value={user} />
      {'share' in navigator && (
        <Button leftSection={<IconShare size={18} />} onClick={() => void navigator.share({ url: link }).catch(() => {})}>
          Share…
        </Button>
      )}
    </Stack>
  );
}
