import { Card, Drawer, Stack, Text } from '@mantine/core';
import { useLive } from '../core/live';
import { shortId } from '../core/values';
import { wordsOfRefusal } from '../core/words';
import { fullTime } from '../ui/times';

/** What came in and was not accepted: kept for who wants to know. */
export function Refused({ opened, onClose }: { opened: boolean; onClose(): void }) {
  return (
    <Drawer opened={opened} onClose={onClose} title="Messages that were refused">
      {opened && <List />}
    </Drawer>
  );
}

function List() {
  const { value: refusals } = useLive((letterlock) => letterlock.refusals(), (change) => change.conversations.length > 0);
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        What cannot be what it says it is was not accepted. Who is named as the sender need not have sent it.
      </Text>
      {refusals?.length === 0 && <Text>None.</Text>}
      {refusals?.map((refusal, index) => (
        <Card key={index} withBorder padding="sm">
          <Text size="sm">{wordsOfRefusal(refusal.reason)}.</Text>
          <Text size="xs" c="dimmed">
            Said to be from <span title={refusal.sender}>{shortId(refusal.sender)}</span> · {fullTime(refusal.at)}
          </Text>
        </Card>
      ))}
    </Stack>
  );
}
