import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Banner.module.css';

/** Something to decide, above the messages. */
export function Banner({ title, children, actions, warning }: { title: string; children: ReactNode; actions: ReactNode; warning?: boolean }) {
  return (
    <div className={classes.banner} data-warning={warning || undefined} role={warning ? 'alert' : 'note'}>
      <div className={classes.words}>
        <Text fw={600} size="sm">
          {title}
        </Text>
        <Text size="sm">{children}</Text>
      </div>
      <div className={classes.actions}>{actions}</div>
    </div>
  );
}
