import { Paper, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Page.module.css';

/** A page with one thing on it. */
export function Page({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={classes.page}>
      <Paper className={classes.card} radius="lg">
        <img src="/icon.svg" alt="" width={56} height={56} className={classes.mark} />
        <Title order={1} size="h2" ta="center">
          {title}
        </Title>
        {children}
      </Paper>
    </main>
  );
}
