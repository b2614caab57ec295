import { useQuery } from '@apollo/client/react';
import { Stack, Text } from '@mantine/core';
import { useLetterlock } from '../core/letterlock';
import { SERVER_INFO } from './serverinfo';

export function About() {
  const letterlock = useLetterlock();
  const { data, loading } = useQuery(SERVER_INFO, { fetchPolicy: 'no-cache' });
  const version = data?.server.version ?? (loading ? '…' : 'not reached');
  return (
    <Stack gap="xs">
      <Text size="sm">
        Server: {letterlock.server}
        <br />
        Version: {version}
      </Text>
      <Text size="sm" c="dimmed">
        Messages are sealed in this browser and opened only on the devices of those who write with each other. But a page trusts whoever
        serves it: who runs the server could serve another page that does otherwise. If that is too much trust, use the command line, or
        serve this page from a host of your own and compare its hashes with those that “letterlock version” prints.
      </Text>
    </Stack>
  );
}
