import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliver, open, person, seal, stored } from './profiles.mjs';

const code = (expected) => (error) => error.code === expected;

/** All bytes and texts of a stored value, however deep. */
function flatten(value) {
  if (value instanceof CryptoKey) {
    return '';
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return Buffer.from(value.buffer ?? value).toString('latin1');
  }
  return value && typeof value === 'object' ? Object.entries(value).flat().map(flatten).join('\n') : String(value);
}

test('two people write to each other', async () => {
  const [anna, ben] = [await person('talk-a'), await person('talk-b')];
  const { value: written } = await anna.call('compose', { peer: ben.self.user, text: 'Schönes Wetter' });
  assert.equal(written.state, 'queued');
  const step = await deliver(anna, ben, await seal(anna, ben));
  assert.equal(step.notices[0].message.text, 'Schönes Wetter');
  assert.deepEqual(step.change.conversations, [anna.self.user]);
  assert.equal((await anna.call('history', { peer: ben.self.user }))[0].state, 'sent');

  await ben.call('compose', { peer: anna.self.user, text: 'Ja' });
  assert.equal((await deliver(ben, anna, await seal(ben, anna))).notices[0].message.text, 'Ja');

  const [line] = await anna.call('conversations');
  assert.equal(line.last.text, 'Ja');
  assert.equal(line.unread, 1);
  await anna.call('markRead', { peer: ben.self.user, upTo: 2 });
  assert.equal((await anna.call('conversations'))[0].unread, 0);
  assert.deepEqual((await anna.call('search', { text: 'SCHÖN', limit: 5 })).map((m) => m.number), [1]);
});

test('drafts and settings are kept over a restart', async () => {
  const [anna, ben] = [await person('kept-a'), await person('kept-b')];
  await anna.call('setDraft', { peer: ben.self.user, text: 'not yet' });
  await anna.call('setSetting', { name: 'theme', value: { dark: true } });
  await anna.call('close');
  const again = await open('kept-a');
  assert.deepEqual(again.status, { phase: 'ready', passphrase: false });
  assert.equal((await again.call('conversations'))[0].draft, 'not yet');
  assert.deepEqual(await again.call('getSetting', { name: 'theme' }), { dark: true });
});

test('a wrong passphrase opens nothing and changes nothing', async () => {
  const { self, call } = await person('locked', 'right');
  await assert.rejects(call('changePassphrase', { passphrase: 'new', current: 'wrong' }), code('passphrase-wrong'));
  await call('close');
  const before = (await stored('locked')).map(flatten);
  const device = await open('locked');
  assert.deepEqual(device.status, { phase: 'locked', passphrase: true });
  await assert.rejects(device.call('self'), code('passphrase-needed'));
  await assert.rejects(device.call('unlock', { passphrase: 'wrong' }), code('passphrase-wrong'));
  await assert.rejects(device.call('create', {}), code('has-keys'));
  assert.deepEqual((await stored('locked')).map(flatten), before);
  await device.call('unlock', { passphrase: 'right' });
  assert.equal((await device.call('self')).user, self.user);

  await device.call('changePassphrase', { passphrase: 'new', current: 'right' });
  await device.call('close');
  const changed = await open('locked');
  await assert.rejects(changed.call('unlock', { passphrase: 'right' }), code('passphrase-wrong'));
  assert.equal((await changed.call('unlock', { passphrase: 'new' })).phase, 'ready');
});

test('what is stored shows no text, name or id, and the key is not to be had', async () => {
  const [anna, ben] = [await person('scan-a'), await person('scan-b')];
  await anna.call('addContact', { name: 'Benjamin', user: ben.self.user });
  await anna.call('compose', { peer: ben.self.user, text: 'a text to look for' });
  await anna.call('setDraft', { peer: ben.self.user, text: 'a draft to look for' });
  await deliver(anna, ben, await seal(anna, ben));
  const values = await stored('scan-a');
  assert.ok(values.length > 100);
  const all = values.map(flatten).join('\n');
  for (const secret of ['to look for', 'Benjamin', ben.self.user, anna.self.user, anna.self.device, 'Signing', '"key"']) {
    assert.ok(!all.includes(secret), secret);
  }
  const key = values.map((value) => value?.key).find((value) => value instanceof CryptoKey);
  assert.equal(key.extractable, false);
});

test('a failed commit changes nothing and gives no ciphertext out', async () => {
  const [anna, ben] = [await person('full-a'), await person('full-b')];
  await anna.call('compose', { peer: ben.self.user, text: 'one' });
  await deliver(anna, ben, await seal(anna, ben));
  await anna.call('compose', { peer: ben.self.user, text: 'two' });
  const before = (await stored('full-a')).map(flatten);
  const put = IDBObjectStore.prototype.put;
  let puts = 0;
  IDBObjectStore.prototype.put = function (...args) {
    if (++puts === 2) {
      throw new DOMException('no room', 'QuotaExceededError');
    }
    return put.apply(this, args);
  };
  try {
    await assert.rejects(anna.call('nextSend', { peer: ben.self.user, claimed: [] }), code('store-full'));
  } finally {
    IDBObjectStore.prototype.put = put;
  }
  assert.deepEqual((await stored('full-a')).map(flatten), before);
  assert.equal((await deliver(anna, ben, await seal(anna, ben))).notices[0].message.text, 'two');
});

test('erasing leaves nothing', async () => {
  const { call } = await person('gone');
  await call('erase');
  assert.ok(!(await indexedDB.databases()).some(({ name }) => name === 'letterlock-gone'));
  assert.equal((await open('gone')).status.phase, 'empty');
});
