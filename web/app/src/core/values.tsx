// The values of the core that several screens show.
import type { Contact, Conversation, Self, Trust, UserId } from '@letterlock/core';
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { useLive } from './live';

const Conversations = createContext<Conversation[] | undefined>(undefined);

/** Reads the list of conversations once for all who show something of it. */
export function ConversationsProvider({ children }: { children: ReactNode }) {
  const { value } = useLive(
    (letterlock) => letterlock.conversations(),
    (change) => change.conversations.length > 0 || change.contacts || change.trust.length > 0,
  );
  return <Conversations value={value}>{children}</Conversations>;
}

/** Undefined until the first answer. */
export function useConversations(): Conversation[] | undefined {
  return useContext(Conversations);
}

export function useContacts(): Contact[] | undefined {
  return useLive((letterlock) => letterlock.contacts(), (change) => change.contacts).value;
}

/** Whether this device takes nothing from somebody. */
export function useBlocked(user: UserId): boolean {
  const blocked = useLive((letterlock) => letterlock.blocked(), (change) => change.contacts).value;
  return blocked?.some((one) => one.user === user) ?? false;
}

export function useSelf(): Self | undefined {
  return useLive((letterlock) => letterlock.self(), (change) => change.devices).value;
}

export function useTrust(user: UserId): Trust | undefined {
  return useLive(
    (letterlock) => letterlock.trust(user),
    (change) => change.contacts || change.trust.includes(user),
    [user],
  ).value;
}

/** What to call somebody: the contact's name, or the beginning of the id of a stranger. */
export function useName(user: UserId): string {
  const conversation = useConversations()?.find(({ peer }) => peer === user);
  const contact = useContacts()?.find((contact) => contact.user === user);
  return useMemo(() => contact?.name || conversation?.name || shortId(user), [contact, conversation, user]);
}

export function shortId(user: UserId): string {
  return `${user.slice(0, 5)}…${user.slice(-4)}`;
}
