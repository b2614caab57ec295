import type { UserId } from '@letterlock/core';
import { Button } from '@mantine/core';
import { useState } from 'react';
import { useName } from '../core/values';
import { BlockButton } from '../people/BlockButton';
import { NameDialog } from '../people/NameDialog';
import { Banner } from './Banner';

/** Somebody who wrote, or was written to, without a name. */
export function Stranger({ peer }: { peer: UserId }) {
  const name = useName(peer);
  const [naming, setNaming] = useState(false);
  return (
    <>
      <Banner
        title="This person is not among your contacts"
        actions={
          <>
            <Button size="xs" variant="light" onClick={() => setNaming(true)}>
              Add a name
            </Button>
            <BlockButton peer={peer} name={name} size="xs" />
          </>
        }
      >
        Give them a name once you know who they are. Until you write to them they learn nothing, not even that it has arrived.
      </Banner>
      <NameDialog opened={naming} user={peer} onClose={() => setNaming(false)} />
    </>
  );
}
