import { ActionIcon, Paper, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { IconBack } from '../ui/icons';
import classes from './Page.module.css';

/** A page with one thing on it. The way back is above it, so that nothing moves it. */
export function Page({ title, children, onBack }: { title: string; children: ReactNode; onBack?(): void }) {
  return (
    <main className={classes.page}>
      <Paper className={classes.card} radius="lg">
        {onBack && (
          <ActionIcon className={classes.back} onClick={onBack} aria-label="Back">
            <IconBack size={22} />
          </ActionIcon>
        )}
        <img src="/icon.svg" alt="" width={56} height={56} className={classes.mark} />
        <Title order={1} size="h2" ta="center">
          {title}
        </Title>
        {children}
      </Paper>
    </main>
  );
}
