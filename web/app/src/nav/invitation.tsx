import { parseContact, type UserId } from '@letterlock/core';
import { useCallback, useEffect, useState } from 'react';

export interface Invitation {
  user: UserId;
  name?: string;
}

/**
 * The contact of an `#add=…` link that was opened. It stays in the address until it is answered, so that it survives the
 * welcome screen and a reload.
 */
export function useInvitation(): [Invitation | null, () => void] {
  const [invitation, setInvitation] = useState(read);
  useEffect(() => {
    const changed = () => setInvitation(read());
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  const answered = useCallback(() => {
    history.replaceState(history.state, '', location.pathname + location.search);
    setInvitation(null);
  }, []);
  return [invitation, answered];
}

function read(): Invitation | null {
  return location.hash.startsWith('#add=') ? parseContact(location.href) : null;
}
