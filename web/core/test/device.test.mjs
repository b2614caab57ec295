import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliver, enveloped, open, person, receive, seal, stored, taken } from './profiles.mjs';

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

test('a draft that was kept a moment before it was sent is none afterwards, however much there is to do', async () => {
  const [anna, ben] = [await person('late-a'), await person('late-b')];
  const peer = ben.self.user;
  await Promise.all([
    anna.call('addContact', { name: 'Ben', user: peer }), // it is under way while the others come
    anna.call('setDraft', { peer, text: 'hello' }),
    anna.call('compose', { peer, text: 'hello' }),
  ]);
  assert.equal((await anna.call('conversations'))[0].draft, '');
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

test('envelopes that come together are one commit, all of them or none', async () => {
  const [anna, ben] = [await person('batch-a'), await person('batch-b')];
  const envelopes = [];
  for (let i = 1; i <= 20; i++) {
    await anna.call('compose', { peer: ben.self.user, text: `text ${i}` });
    const request = await seal(anna, ben);
    envelopes.push(enveloped(anna, request));
    await taken(anna, request);
  }
  envelopes.splice(7, 0, envelopes[3]); // one comes twice
  await receive(anna, ben, envelopes.slice(0, 1));

  const before = (await stored('batch-b')).map(flatten);
  const put = IDBObjectStore.prototype.put;
  let puts = 0;
  IDBObjectStore.prototype.put = function (...args) {
    if (++puts === 30) {
      throw new DOMException('no room', 'QuotaExceededError');
    }
    return put.apply(this, args);
  };
  try {
    await assert.rejects(ben.call('receive', { envelopes: envelopes.slice(1), asked: [] }), code('store-full'));
  } finally {
    IDBObjectStore.prototype.put = put;
  }
  assert.deepEqual((await stored('batch-b')).map(flatten), before);

  const transaction = IDBDatabase.prototype.transaction;
  let commits = 0;
  IDBDatabase.prototype.transaction = function (...args) {
    commits += args[1] === 'readwrite' ? 1 : 0;
    return transaction.apply(this, args);
  };
  let step;
  try {
    step = await ben.call('receive', { envelopes: envelopes.slice(1), asked: [] });
  } finally {
    IDBDatabase.prototype.transaction = transaction;
  }
  assert.equal(commits, 1);
  assert.equal(step.value, 20);
  const texts = Array.from({ length: 20 }, (_, i) => `text ${i + 1}`);
  assert.deepEqual(step.notices.map(({ message }) => message.text), texts.slice(1));
  assert.deepEqual((await ben.call('history', { peer: anna.self.user, limit: 100 })).map(({ text }) => text), texts);
  await ben.call('handedOver', { numbers: step.notices.map(({ number }) => number) });
  assert.equal((await ben.call('waiting', { after: 0, limit: 100 })).length, 1);
});

test('a deletion is signed by who has the user key, and changes no record', async () => {
  const { call } = await person('deletes');
  const before = (await stored('deletes')).map(flatten);
  const [{ deletion }, again] = [await call('signDeletion'), await call('signDeletion')];
  assert.match(deletion, /^[\w-]{100,}$/);
  assert.deepEqual(again, { deletion });
  assert.deepEqual((await stored('deletes')).map(flatten), before);
});

test('erasing leaves nothing', async () => {
  const { call } = await person('gone');
  await call('erase');
  assert.ok(!(await indexedDB.databases()).some(({ name }) => name === 'letterlock-gone'));
  assert.equal((await open('gone')).status.phase, 'empty');
});
