// Links that name a user: what they say stays behind #, which no server gets to see.

const USER = /^u[a-z2-7]{32}$/;
/** No link or pasted text is longer. */
const MAX_TEXT = 4096;
const MAX_NAME = 200;

/** @type {typeof import('../index.js').contactLink} */
export function contactLink(base, user, name) {
  const url = new URL(base);
  const said = new URLSearchParams({ add: user });
  if (name) said.set('name', name);
  url.hash = said.toString();
  return url.href;
}

/** @type {typeof import('../index.js').parseContact} */
export function parseContact(text) {
  if (typeof text !== 'string' || text.length > MAX_TEXT) return null;
  const trimmed = text.trim();
  if (USER.test(trimmed)) return { user: trimmed };
  const hash = trimmed.indexOf('#');
  if (hash < 0) return null;
  const said = new URLSearchParams(trimmed.slice(hash + 1));
  const user = said.get('add') ?? '';
  if (!USER.test(user)) return null;
  const name = said.get('name')?.trim().slice(0, MAX_NAME);
  return name ? { user, name } : { user };
}
