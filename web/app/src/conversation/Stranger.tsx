import type { UserId } from '@letterlock/core';
import { Button } from '@mantine/core';
import { useState } from 'react';
import { NameDialog } from '../people/NameDialog';
import { Banner } from './Banner';

/** Somebody who wrote, or was written to, without a name. */
export function Stranger({ peer }: { peer: UserId }) {
  const [naming, setNaming] = useState(false);
  return (
    <>
      <Banner
        title="This person is not among your contacts"
        actions={
          <Button size="xs" variant="light" onClick={() => setNaming(true)}>
            Add a name
          </Button>
        }
      >
        Give them a name once you know who they are.
      </Banner>
      <NameDialog opened={naming} user={peer} onClose={() => setNaming(false)} />
    </>
  );
}
