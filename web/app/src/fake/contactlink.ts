import type { UserId } from '@letterlock/core';

export function contactLink(base: string, user: UserId, name?: string): string {
  return `${base}#${new URLSearchParams({ add: user, ...(name ? { name } : {}) })}`;
}

export function parseContact(text: string): { user: UserId; name?: string } | null {
  const id = /^u[a-z0-9]{32}$/;
  if (id.test(text)) return { user: text };
  const found = new URLSearchParams(text.slice(text.indexOf('#') + 1));
  const user = found.get('add') ?? '';
  return id.test(user) ? { user, name: found.get('name') ?? undefined } : null;
}
