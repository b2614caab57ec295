// The rules of the driver where the server answers as it seldom does. A test that waits in vain fails by its time limit.
import assert from 'node:assert/strict';
import { test as define } from 'node:test';
import { failure, fromServer } from '../src/errors.js';
import { Pace } from '../src/pace.js';
import { perform } from '../src/engine.js';
import { envelope, fakeEngine, PEER, refused, stored } from './fakes.mjs';

const test = (name, run) => define(name, { timeout: 20_000 }, run);
const unreachable = () => {
  throw new TypeError('Failed to fetch');
};
/** Answers with these, one after the other, then as before. */
function once(client, name, ...steps) {
  const usual = client.answers[name];
  client.answers[name] = (variables) => (steps.length > 0 ? steps.shift()(variables) : usual(variables));
}
const fails = (error) => () => {
  throw error;
};
const send = (engine, text) => perform(engine, 'send', { peer: PEER, text, since: Date.now() }, {});

test('after a lost answer the same bytes go out again, and the next message only then', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  once(client, 'SendMessage', unreachable, fails(refused('OUTCOME_UNKNOWN', { stored: 'UNKNOWN' })));
  engine.connect(client);
  await send(engine, 'one');
  await send(engine, 'two');
  await until(() => device.calls('accepted').length === 2);
  const inputs = client.of('SendMessage').map(({ input }) => input);
  assert.deepEqual(inputs.slice(0, 3), [inputs[0], inputs[0], inputs[0]]);
  assert.deepEqual(inputs.map(({ messageId }) => messageId), ['id-one', 'id-one', 'id-one', 'id-two']);
  assert.equal(device.calls('declined').length, 0);
});

test('a list that has moved on is fetched, and the message sealed anew', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  once(client, 'SendMessage', fails(refused('DEVICE_LIST_CHANGED', { stored: 'NO' })));
  engine.connect(client);
  await send(engine, 'one');
  await until(() => device.calls('accepted').length === 1);
  assert.deepEqual(device.calls('declined').map(({ refused: how }) => how), ['list-changed']);
  assert.deepEqual(client.of('FetchUser'), [{ id: PEER, sinceVersion: 1 }]);
  const [first, second] = client.of('SendMessage').map(({ input }) => input.recipients[0].envelopes[0].ciphertext);
  assert.notEqual(first, second);
});

test('a list that changes all the time does not keep a client busy for ever', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  client.answers.SendMessage = fails(refused('DEVICE_LIST_CHANGED'));
  engine.connect(client);
  await send(engine, 'one');
  await until(() => device.calls('declined').length === 9);
  assert.equal(device.queue.length, 1);
});

for (const [code, how] of [['MESSAGE_ID_EXPIRED', 'expired'], ['RECIPIENT_UNKNOWN', 'recipient'], ['BAD_INPUT', 'for-good']]) {
  test(`the device hears of ${code} as ${how}`, async (t) => {
    const { engine, device, client, until } = fakeEngine(t);
    once(client, 'SendMessage', fails(refused(code)));
    engine.connect(client);
    await send(engine, 'one');
    await until(() => device.queue.length === 0);
    assert.deepEqual(device.calls('declined').map(({ refused: said }) => said), [how]);
  });
}

test('an answer about another message is not taken for one', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  client.answers.SendMessage = ({ input }) => ({ sendMessage: { ...stored(input), deliveries: [] } });
  engine.connect(client);
  await send(engine, 'one');
  await until(() => client.of('SendMessage').length === 1);
  await engine.outbox.kick();
  assert.equal(device.calls('accepted').length, 0);
  assert.equal(device.queue.length, 1);
});

test('prekeys that the server has not are asked for again for a moment, and then the message has failed', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  device.needs = (claimed) =>
    claimed.includes(PEER) ? { fails: 'prekeys-missing' } : { type: 'claimPrekeys', user: PEER, devices: ['d1'] };
  engine.connect(client);
  await send(engine, 'one');
  await until(() => device.queue.length === 0);
  assert.deepEqual(client.of('ClaimPrekeys'), Array(4).fill({ userId: PEER, devices: ['d1'] }));
  assert.equal(client.of('SendMessage').length, 0);
});

test('whoever has just registered gets the first message once their prekeys are there', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  device.needs = (claimed) => (claimed.includes(PEER) ? undefined : { type: 'claimPrekeys', user: PEER, devices: ['d1'] });
  client.answers.ClaimPrekeys = () => ({ claimPrekeys: { sets: [{ deviceId: 'd1', signed: 'AA', kem: 'AA' }] } });
  once(client, 'ClaimPrekeys', () => ({ claimPrekeys: { sets: [] } }));
  engine.connect(client);
  await send(engine, 'one');
  await until(() => client.of('SendMessage').length === 1);
  assert.equal(client.of('ClaimPrekeys').length, 2);
});

test('a recipient who is not there fails the message, and nothing is asked again', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  device.needs = () => ({ type: 'fetchUser', user: PEER, since: 0 });
  client.answers.FetchUser = () => ({ user: null });
  engine.connect(client);
  await send(engine, 'one');
  await until(() => device.queue.length === 0);
  assert.deepEqual(device.calls('giveUp'), [{ peer: PEER, reason: 'recipient-unknown' }]);
});

test('whoever is superseded stays so until connect takes over again', async (t) => {
  const { engine, client, until } = fakeEngine(t);
  engine.connect(client);
  await until(() => engine.status.connection.state === 'online');
  client.subscriptions[0].observer.next({ error: refused('SUPERSEDED') });
  await until(() => engine.status.connection.state === 'superseded');
  assert.ok(client.subscriptions[0].ended);
  assert.equal(client.subscriptions.length, 1);
  engine.connect(client);
  await until(() => engine.status.connection.state === 'online');
  assert.equal(client.subscriptions.length, 2);
});

test('a removed device ends for good', async (t) => {
  const { engine, client, until } = fakeEngine(t);
  client.answers.Standing = fails(refused('DEVICE_REMOVED'));
  engine.connect(client);
  await until(() => engine.status.connection.state === 'removed');
  assert.equal(client.subscriptions.length, 0);
});

test('prekeys that can’t be looked after now are in nobody’s way', async (t) => {
  const { engine, client, until } = fakeEngine(t);
  client.answers.Standing = fails(refused('RATE_LIMITED', { retryAfterMs: 60_000 }));
  engine.connect(client);
  await until(() => engine.status.connection.state === 'online');
});

test('a server that has lost this device gets its prekeys as well as its registration', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  let known = true;
  const answer = { notices: [], queued: false, change: null };
  device._register = () => ({ ...answer, requests: known ? [] : [{ type: 'register', userKey: 'AA', deviceList: 'AA' }] });
  device._registered = (params) => {
    known = params.known;
    return { ...answer, requests: [] };
  };
  client.answers.RegisterKey = () => ({ registerKey: { device: { id: 'me' } } });
  engine.connect(client);
  await until(() => engine.status.connection.state === 'online');
  client.answers.FetchUser = () => ({ user: null });
  once(client, 'Viewer', fails(refused('UNAUTHENTICATED')));
  client.subscriptions[0].observer.next({ error: refused('UNAUTHENTICATED') });
  await until(() => engine.status.connection.state === 'waiting');
  engine.connect(client); // the wait ends at once
  await until(() => client.subscriptions.length === 2);
  assert.equal(client.of('RegisterKey').length, 1);
  assert.equal(client.of('Standing').length, 2);
});

test('a cursor that is refused is forgotten, and the mailbox read from its start', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  device.cursor = 'old';
  engine.connect(client);
  await until(() => client.subscriptions.length === 1);
  client.subscriptions[0].observer.next({ error: refused('CURSOR_INVALID') });
  await until(() => client.subscriptions.length === 2);
  assert.deepEqual(client.subscriptions.map(({ variables }) => variables), [{ after: 'old' }, {}]);
  client.subscriptions[1].observer.next({ error: refused('CURSOR_INVALID') });
  await until(() => engine.status.connection.state === 'failed');
});

test('envelopes are committed in order, a few at a time, before they are acknowledged', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  let committed = 0;
  device._receive = async ({ envelopes }) => {
    const taken = Math.min(envelopes.length, 7); // the device takes as many as it likes
    assert.deepEqual(envelopes.slice(0, taken).map(({ cursor }) => Number(cursor)), Array.from({ length: taken }, (_, i) => committed + 1 + i));
    await new Promise(setImmediate);
    committed += taken;
    return { value: taken, requests: [], notices: [], queued: false, change: null };
  };
  client.answers.AcknowledgeMessages = ({ upTo }) => {
    assert.ok(Number(upTo) <= committed);
    return { acknowledgeMessages: { removedCount: 1 } };
  };
  engine.connect(client);
  await until(() => client.subscriptions.length === 1);
  for (let i = 1; i <= 50; i++) client.subscriptions[0].observer.next({ data: { messageReceived: envelope(String(i)) } });
  await until(() => client.of('AcknowledgeMessages').some(({ upTo }) => upTo === '50'));
  assert.equal(committed, 50);
});

test('a flood is taken in by pieces', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  engine.connect(client);
  await until(() => client.subscriptions.length === 1);
  for (let i = 1; i <= 2000; i++) client.subscriptions[0].observer.next({ data: { messageReceived: envelope(String(i)) } });
  await until(() => client.subscriptions.length === 2);
  assert.deepEqual(client.subscriptions[1].variables, { after: '512' });
  assert.equal(device.calls('receive').reduce((sum, { envelopes }) => sum + envelopes.length, 0), 512);
});

test('a wrong clock is made up for in tokens, up to a day', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  const ahead = 3600_000;
  once(client, 'Standing', fails(refused('UNAUTHENTICATED', { serverTime: new Date(Date.now() + ahead).toISOString() })));
  engine.connect(client);
  await until(() => engine.status.connection.state === 'online');
  const [first, second] = device.calls('token').map(({ now }) => now);
  assert.ok(Math.abs(second - first - ahead) < 60_000);

  client.answers.Standing = fails(refused('UNAUTHENTICATED', { serverTime: '2020-01-01T00:00:00Z' }));
  const late = fakeEngine(t);
  late.client.answers.Standing = client.answers.Standing;
  late.engine.connect(late.client);
  await late.until(() => late.engine.status.connection.state === 'clock');
});

test('a deletion is sent again as it is after a lost answer, and signed anew after the list has changed', async (t) => {
  const { engine, client } = fakeEngine(t);
  engine.server.client = client;
  client.answers.DeleteUser = () => ({ deleteUser: { deletedAt: '2026-01-02T03:04:05Z' } });
  once(client, 'DeleteUser', unreachable, fails(refused('LIST_CONFLICT', { stored: 'NO' })));
  await perform(engine, 'deleteUser', {}, {});
  assert.deepEqual(client.of('DeleteUser').map(({ deletion }) => deletion), ['deletion-1', 'deletion-1', 'deletion-2']);
  assert.equal(client.of('FetchUser').length, 1);
});

test('a deletion that the server refuses is told, and tried no more', async (t) => {
  const { engine, client } = fakeEngine(t);
  engine.server.client = client;
  client.answers.DeleteUser = fails(refused('BAD_INPUT', { stored: 'NO' }));
  await assert.rejects(perform(engine, 'deleteUser', {}, {}), { code: 'BAD_INPUT' });
  assert.equal(client.of('DeleteUser').length, 1);
});

test('an export takes all pages, without the names of types', async (t) => {
  const { engine, client } = fakeEngine(t);
  engine.server.client = client;
  const user = { __typename: 'UserExport', userId: 'u1', createdAt: 'then', listVersion: 2 };
  const lists = [{ version: 1, __typename: 'ExportedDeviceList' }, { version: 2 }];
  client.answers.ExportUser = ({ listsAfter, devicesAfter }) => ({
    exportUser: {
      ...user,
      deviceLists: lists.slice(listsAfter, listsAfter + 1),
      devices: devicesAfter ? [] : [{ id: 'd1' }],
      hasMore: listsAfter === 0,
    },
  });
  client.answers.ExportMailbox = ({ after }) => ({
    mailbox: { nodes: [{ cursor: after ? 'second' : 'first' }], pageInfo: { hasNextPage: !after } },
  });
  assert.deepEqual(await perform(engine, 'exportUser', {}, {}), {
    exportUser: { userId: 'u1', createdAt: 'then', listVersion: 2, deviceLists: [{ version: 1 }, { version: 2 }], devices: [{ id: 'd1' }] },
    mailbox: [{ cursor: 'first' }, { cursor: 'second' }],
  });
  assert.deepEqual(client.of('ExportMailbox'), [{ after: null }, { after: 'first' }]);
});

test('an export that has more without anything ends', async (t) => {
  const { engine, client } = fakeEngine(t);
  engine.server.client = client;
  client.answers.ExportUser = () => ({ exportUser: { deviceLists: [], devices: [], hasMore: true } });
  await assert.rejects(perform(engine, 'exportUser', {}, {}), { code: 'no-server' });
  assert.equal(client.of('ExportUser').length, 1);
});

test('a clock that goes wrong while connected is told when something is sent, and what was written waits', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  engine.connect(client);
  await until(() => engine.status.connection.state === 'online');
  once(client, 'SendMessage', fails(refused('UNAUTHENTICATED', { serverTime: '2020-01-01T00:00:00Z' })));
  await send(engine, 'one');
  await until(() => engine.status.connection.state === 'clock');
  assert.deepEqual([device.queue.length, client.subscriptions[0].ended], [1, true]);
  engine.connect(client);
  await until(() => device.queue.length === 0);
  assert.equal(engine.status.connection.state, 'online');
});

test('a clock that is set right while its token is under way costs one more request', async (t) => {
  const { engine, client, device, until } = fakeEngine(t);
  const now = Date.now;
  t.after(() => {
    Date.now = now;
  });
  Date.now = () => now() + 48 * 3600_000;
  once(client, 'Standing', () => {
    Date.now = now;
    throw refused('UNAUTHENTICATED', { serverTime: new Date().toISOString() });
  });
  engine.connect(client);
  await until(() => engine.status.connection.state === 'online');
  const [first, second] = device.calls('token').map((call) => call.now);
  assert.ok(first - second > 47 * 3600_000);
});

test('nothing of it goes into the cache', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  engine.connect(client);
  await send(engine, 'one');
  await until(() => device.queue.length === 0);
  assert.ok(client.sent.every(({ fetchPolicy }) => fetchPolicy === 'no-cache'));
});

test('without a client, what needs the server says so', async (t) => {
  const { engine } = fakeEngine(t);
  for (const [method, params] of [['devices', {}], ['unlink', { device: 'd' }], ['join', {}], ['exportUser', {}], ['deleteUser', {}]]) {
    await assert.rejects(async () => perform(engine, method, params, {}), { code: 'offline' });
  }
});

test('calls that are none are refused', async (t) => {
  const { engine } = fakeEngine(t);
  for (const method of ['nextSend', 'connect', 'stop', 'constructor', 'core']) {
    await assert.rejects(perform(engine, method, {}, {}), { code: 'bad-call' });
  }
});

test('a server that asks for a wait gets it; others at most 15 seconds', () => {
  const pace = new Pace(15_000, { random: () => 0.999 });
  assert.ok(pace.after(fromServer(refused('RATE_LIMITED', { retryAfterMs: 5000 }))) >= 5000);
  for (let i = 0; i < 20; i++) assert.ok(pace.after(failure('offline')) <= 15_000);
  assert.ok(pace.after(fromServer(refused('RATE_LIMITED', { retryAfterMs: 1e12 }))) <= 90_000);
});

test('a crowd that begins at the same moment comes back over all of the time', () => {
  for (const asked of [undefined, 4000]) {
    const refusal = asked ? fromServer(refused('OVERLOADED', { retryAfterMs: asked })) : failure('offline');
    const waits = Array.from({ length: 1000 }, (_, i) => new Pace(15_000, { first: 1000, random: () => i / 1000 }).after(refusal));
    assert.ok(Math.min(...waits) >= (asked ?? 0));
    assert.ok(Math.max(...waits) - Math.min(...waits) >= (asked ? asked / 2 : 1000) * 0.99);
  }
});

test('a server cannot say what this package says to itself', async (t) => {
  const { engine, client, until } = fakeEngine(t);
  engine.connect(client);
  for (const code of ['overflow', 'clock', 'closed', 'device-removed', 'crashed', '']) {
    await until(() => engine.status.connection.state === 'online');
    client.subscriptions.at(-1).observer.next({ data: undefined, error: refused(code) });
    await until(() => engine.status.connection.state !== 'online');
    await until(() => engine.status.connection.state !== 'connecting');
    assert.equal(engine.status.connection.state, 'waiting', `after the code “${code}”`); // not again at once, and not ended for good
    engine.connect(client); // the wait ends at once
  }
});
