// A server that answers anything: from a seed, so that what was found once is found again. Nothing is thrown but what programs can tell
// apart, and nothing is read but what was asked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CombinedGraphQLErrors } from '@apollo/client';
import * as answers from '../src/answers.js';
import { parseContact } from '../src/contactlink.js';
import { fromServer, LetterlockError } from '../src/errors.js';
import { envelope, fakeEngine, PEER, stored } from './fakes.mjs';

const SEED = 20261127;
const CASES = 20_000;

/** xorshift32: the same numbers in every engine. */
function randomness(seed) {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Values that are where others should be: each as JSON can bring it. */
const STRANGE = [
  null, undefined, true, false, 0, -1, 1.5, 1e308, 2 ** 53, '', 'x', '9', '\u0000', '\ud800', 'x'.repeat(20_000), [], [null], [[]], {},
  { toString: 1, valueOf: 2 }, JSON.parse('{"__proto__": {"length": 9}}'), { length: 2 ** 31, 0: 'x' }, { constructor: null }, Array(1500).fill({}), 'constructor', '__proto__', 'toString',
];

/** A copy of a value with something strange somewhere in it. */
function mutated(value, random) {
  if (random(6) === 0 || value === null || typeof value !== 'object') return structuredClone(STRANGE[random(STRANGE.length)]);
  const copy = Array.isArray(value) ? [...value] : { ...value };
  const keys = Object.keys(copy);
  if (keys.length === 0) return structuredClone(STRANGE[random(STRANGE.length)]);
  const key = keys[random(keys.length)];
  switch (random(5)) {
    case 0:
      if (Array.isArray(copy)) copy.splice(Number(key), 1);
      else delete copy[key];
      break;
    case 1:
      if (Array.isArray(copy)) copy.push(copy[key]);
      else copy[`${key}s`] = copy[key];
      break;
    default:
      copy[key] = mutated(copy[key], random);
  }
  return copy;
}

const input = {
  messageId: 'm', recipients: [{ userId: PEER, listVersion: 1, envelopes: [{ deviceId: 'd1' }, { deviceId: 'd2' }] }],
};

/** Each reader, an answer that it takes, and what holds of all that it takes. */
const READERS = {
  readUser: {
    good: { user: { listVersion: 2, deviceLists: [{ statement: 'AA' }, { statement: 'AQ' }] } },
    holds: ({ known, statements, listVersion }) => statements.every(isText) && (known ? Number.isSafeInteger(listVersion) : statements.length === 0),
  },
  readAccepted: { good: { viewer: { acceptedCount: 7 } }, holds: (n) => n === undefined || Number.isSafeInteger(n) },
  readPrekeyCount: {
    good: { prekeyCount: { oneTime: 1, kemOneTime: 2, signedNumber: 3, kemLastResortNumber: null } },
    holds: (held) =>
      Object.keys(held).length === 4 &&
      Object.entries(held).every(([name, n]) => (Number.isSafeInteger(n) && n >= 0) || (n == null && !name.startsWith('oneTime') && !name.endsWith('OneTime'))),
  },
  readPrekeys: {
    good: { claimPrekeys: { sets: [{ deviceId: 'd1', signed: 'AA', oneTime: null, kem: 'AA' }, { deviceId: 'd2', signed: 'AA', oneTime: 'AA', kem: 'AA' }] } },
    holds: (sets) => sets.every(({ deviceId, signed, kem }) => [deviceId, signed, kem].every(isText)),
  },
  readReceipt: {
    read: (answer) => answers.readReceipt(input, answer), good: { sendMessage: stored(input) },
    holds: ({ acceptedAt, full }) => Number.isFinite(acceptedAt) && full.every((id) => ['d1', 'd2'].includes(id)),
  },
  readEnvelope: {
    good: envelope('c'),
    holds: (e) => Object.entries(e).every(([name, value]) => isText(value) || (name === 'nonce' && value == null)) && e.cursor.length <= 1024,
  },
  readLink: { good: { linkMessage: 'AA' }, holds: (data) => data === null || (isText(data) && data.length < 20_000) },
  readExport: {
    good: { exportUser: { userId: 'u', hasMore: true, deviceLists: [{ version: 1 }], devices: [{ id: 'd1' }] } },
    holds: ({ hasMore, deviceLists, devices }) => typeof hasMore === 'boolean' && [...deviceLists, ...devices].every((part) => part && typeof part === 'object'),
  },
  readMailbox: {
    good: { mailbox: { nodes: [{ cursor: 'c' }], pageInfo: { hasNextPage: true } } },
    holds: ({ nodes, hasMore }) => typeof hasMore === 'boolean' && nodes.every((node) => node && typeof node === 'object'),
  },
};

const isText = (value) => typeof value === 'string';

test('every answer is read here by a test', () => {
  assert.deepEqual(Object.keys(READERS).sort(), Object.keys(answers).sort());
});

for (const [name, { read = answers[name], good, holds }] of Object.entries(READERS)) {
  test(`${name} takes what was asked for, and of anything else says that it is no Letterlock server's`, () => {
    const random = randomness(SEED);
    assert.ok(holds(read(good)), 'a good answer');
    let taken = 0;
    let refused = 0;
    for (let i = 0; i < CASES / 8; i++) {
      let answer = mutated(good, random);
      if (random(3) === 0) answer = mutated(answer, random);
      if (answer === null || typeof answer !== 'object') continue; // server.js lets nothing else through
      try {
        assert.ok(holds(read(answer)), `case ${i}: ${JSON.stringify(answer)}`);
        taken++;
      } catch (error) {
        assert.ok(error instanceof LetterlockError && error.code === 'no-server', `case ${i}: ${JSON.stringify(answer)?.slice(0, 500)}: ${error?.stack}`);
        refused++;
      }
    }
    assert.ok(taken > 100 && refused > 100, `${taken} taken, ${refused} refused: do the cases reach anything?`);
  });
}

test('bytes and numbers that the device would not read are no answer', () => {
  const reads = {
    statement: (it) => answers.readUser({ user: { listVersion: 1, deviceLists: [{ statement: it }] } }),
    prekey: (it) => answers.readPrekeys({ claimPrekeys: { sets: [{ deviceId: 'd1', signed: 'AA', oneTime: it, kem: 'AA' }] } }),
    ciphertext: (it) => answers.readEnvelope({ ...envelope('c'), ciphertext: it }),
    nonce: (it) => answers.readEnvelope({ ...envelope('c'), nonce: it }),
    link: (it) => answers.readLink({ linkMessage: it }),
  };
  for (const [what, read] of Object.entries(reads)) {
    for (const good of ['', 'AA', 'AAA', 'AAAA', 'w-_9', 'AAAA_w', 'AAAA__8']) assert.doesNotThrow(() => read(good), `${what} ${good}`);
    for (const bad of ['A', 'AAAAA', 'AB', 'AAB', 'AA==', 'AA\n', 'A+', 'A/AA', 'ßAAA', 'AA A']) assert.throws(() => read(bad), { code: 'no-server' }, `${what} ${bad}`);
  }
  const good = { oneTime: 1, kemOneTime: 2, signedNumber: 3, kemLastResortNumber: 4 };
  assert.throws(() => answers.readUser({ user: { listVersion: 2 ** 31, deviceLists: [] } }), { code: 'no-server' });
  for (const name of Object.keys(good)) {
    assert.doesNotThrow(() => answers.readPrekeyCount({ prekeyCount: { ...good, [name]: 2 ** 31 - 1 } }));
    assert.throws(() => answers.readPrekeyCount({ prekeyCount: { ...good, [name]: 2 ** 31 } }), { code: 'no-server' }, name);
  }
});

test('whatever a server says for an error is one, in words and waits that are bounded', () => {
  const good = { message: 'no', extensions: { code: 'RATE_LIMITED', stored: 'NO', retryAfterMs: 1000, serverTime: '2026-01-02T03:04:05Z' } };
  const random = randomness(SEED);
  for (let i = 0; i < CASES; i++) {
    const first = mutated(good, random);
    const combined = Object.create(CombinedGraphQLErrors.prototype);
    for (const wrapped of [[first], Object.assign(new CombinedGraphQLErrors({ errors: [good] }), { errors: [first] }), first, combined]) {
      if (wrapped === combined) Object.assign(combined, { errors: [first] });
      const error = fromServer(wrapped);
      assert.ok(error instanceof LetterlockError, `case ${i}`);
      assert.ok(isText(error.code) && error.code.length <= 500 && isText(error.message) && error.message.length <= 600, `case ${i}: ${error.message}`);
      assert.ok(error.retryAfter === undefined || (error.retryAfter >= 0 && error.retryAfter <= 60_000), `case ${i}: ${error.retryAfter}`);
      assert.ok(error.stored === undefined || isText(error.stored), `case ${i}`);
      assert.ok(error.serverTime === undefined || Number.isFinite(error.serverTime), `case ${i}`);
    }
  }
});

test('a link of anything is a contact or none', () => {
  const random = randomness(SEED);
  const good = `https://chat.example.com/#add=u${'a2'.repeat(16)}&name=Zo%C3%AB`;
  for (let i = 0; i < CASES; i++) {
    const letters = [...good];
    for (let changes = 1 + random(4); changes > 0; changes--) letters.splice(random(letters.length), random(3), String.fromCharCode(random(0x2100)), ...(random(9) === 0 ? '%ff' : ''));
    const contact = parseContact(letters.join(''));
    assert.ok(contact === null || /^u[a-z2-7]{32}$/.test(contact.user), `case ${i}: ${letters.join('')}`);
  }
  for (const strange of STRANGE) assert.equal(parseContact(strange), null);
});

test('an envelope that is none has the connection made again, and the next one is taken in', async (t) => {
  const { engine, client, device, until } = fakeEngine(t);
  engine.connect(client);
  for (const strange of [{}, 'x', [], { ...envelope('1'), cursor: { length: 5 } }, { ...envelope('1'), ciphertext: null }, { ...envelope('1'), ciphertext: 'A' }]) {
    await until(() => engine.status.connection.state === 'online');
    client.subscriptions.at(-1).observer.next({ data: { messageReceived: strange } });
    await until(() => engine.status.connection.state === 'waiting');
    engine.connect(client); // the wait ends at once
  }
  await until(() => engine.status.connection.state === 'online');
  client.subscriptions.at(-1).observer.next({ data: { messageReceived: envelope('2') } });
  await until(() => device.calls('receive').length === 1);
});
