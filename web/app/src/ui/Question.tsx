import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { ErrorText } from './ErrorText';
import { useTask } from './failures';

/** Asks before something that cannot be taken back. */
export function Question(props: {
  opened: boolean;
  title: string;
  children: ReactNode;
  yes: string;
  no?: string;
  danger?: boolean;
  onYes(): Promise<unknown> | void;
  onNo(): void;
}) {
  const task = useTask();
  return (
    <Modal opened={props.opened} onClose={props.onNo} title={props.title}>
      <Stack>
        <Text component="div" size="sm">
          {props.children}
        </Text>
        <ErrorText error={task.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onNo} data-autofocus>
            {props.no ?? 'Cancel'}
          </Button>
          <Button
            color={props.danger ? 'red' : undefined}
            loading={task.busy}
            onClick={() => void task.run(async () => props.onYes())}
          >
            {props.yes}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
