import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contactLink, parseContact } from '../src/contactlink.js';

const user = `u${'a2'.repeat(16)}`;

test('a link brings user and name across, behind the part that servers see', () => {
  const link = contactLink('https://chat.example.com/', user, 'Zoë & Co');
  assert.equal(new URL(link).search, '');
  assert.ok(!link.split('#')[0].includes(user));
  assert.deepEqual(parseContact(link), { user, name: 'Zoë & Co' });
  assert.deepEqual(parseContact(contactLink('https://chat.example.com', user)), { user });
});

test('a bare id is a contact; other text is none', () => {
  assert.deepEqual(parseContact(` ${user}\n`), { user });
  for (const text of ['', 'hello', user.toUpperCase(), `${user}a`, 'https://x.example/#add=nobody', '#'.repeat(5000), null]) {
    assert.equal(parseContact(text), null);
  }
});
