// A socket's token is renewed on it. The clocks and the server's end of the socket are the test's.
import assert from 'node:assert/strict';
import { test as define } from 'node:test';
import { Link } from '../src/link.js';
import { Tokens } from '../src/tokens.js';
import { envelope, fakeEngine } from './fakes.mjs';

const test = (name, run) => define(name, { timeout: 20_000 }, run);
const MINUTE = 60_000;

/** A WebSocket whose other end notes what comes, and says yes. */
class FakeSocket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;
  /** @type {FakeSocket[]} */
  static all = [];
  readyState = 0;
  protocol = 'graphql-transport-ws';
  heard = [];
  /** What a ping with a token is answered with; by default as a server that knows nothing of it. */
  static pong = (payload) => payload;

  constructor() {
    super();
    FakeSocket.all.push(this);
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.({});
    });
  }

  send(text) {
    const message = JSON.parse(text);
    this.heard.push(message);
    if (message.type === 'connection_init') this.say({ type: 'connection_ack' });
    if (message.type === 'ping') this.say({ type: 'pong', payload: FakeSocket.pong(message.payload) });
  }

  say(message) {
    queueMicrotask(() => this.readyState === 1 && this.onmessage?.({ data: JSON.stringify(message) }));
  }

  close(code = 1000, reason = '') {
    this.readyState = 3;
    this.onclose?.({ code, reason, wasClean: true });
  }

  /** The tokens that it was told, in order. */
  get tokens() {
    return this.heard.flatMap(({ payload }) => payload?.Authorization ?? []);
  }
}

/** A link whose clock stands still but for `pass`. */
function world(t, { token, random } = {}) {
  const usual = globalThis.WebSocket;
  FakeSocket.all = [];
  FakeSocket.pong = (payload) => payload;
  globalThis.WebSocket = FakeSocket;
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const began = Date.now();
  t.mock.method(performance, 'now', () => Date.now() - began);
  const tokens = new Tokens(async (now) => `made-at-${(now - began) / 1000}`, random ?? (() => 1));
  const link = new Link('http://localhost:1', token ?? (() => tokens.get()));
  const ends = [];
  const listen = () => link.socket.subscribe({ query: 'subscription { messageReceived { id } }' }, {
    next() {}, error: (error) => ends.push(error), complete() {},
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const pass = async (ms) => {
    for (const end = Date.now() + ms; Date.now() < end; await settle()) t.mock.timers.tick(15_000);
  };
  t.after(() => {
    link.close();
    globalThis.WebSocket = usual;
  });
  return { listen, pass, settle, ends };
}

test('a socket stays open for hours: its token is renewed when three quarters of its life are over', async (t) => {
  const { listen, pass, settle, ends } = world(t);
  listen();
  await settle();
  const [socket] = FakeSocket.all;
  await pass(6.5 * MINUTE);
  assert.deepEqual(socket.tokens, ['Bearer made-at-0']);
  await pass(0.25 * MINUTE);
  assert.deepEqual(socket.tokens, ['Bearer made-at-0', 'Bearer made-at-405']);
  await pass(120 * MINUTE);
  assert.equal(FakeSocket.all.length, 1);
  assert.deepEqual(ends, []);
  const made = socket.tokens.map((token) => Number(token.replace('Bearer made-at-', '')));
  assert.ok(made.length > 15);
  for (let i = 1; i < made.length; i++) assert.ok(made[i] - made[i - 1] <= 420, `${made}`);
});

test('clients of a server that was restarted do not all renew at once', async (t) => {
  const { listen, pass, settle } = world(t, { random: () => 0 });
  listen();
  await settle();
  await pass(5 * MINUTE);
  assert.deepEqual(FakeSocket.all[0].tokens, ['Bearer made-at-0', 'Bearer made-at-300']);
});

test('a server that could not look at the token is told it again', async (t) => {
  const { listen, pass, settle } = world(t);
  let asked = 0;
  FakeSocket.pong = (payload) => payload && { renewed: ++asked > 2 };
  listen();
  await settle();
  await pass(8 * MINUTE);
  const [first, ...rest] = FakeSocket.all[0].tokens;
  assert.equal(first, 'Bearer made-at-0');
  assert.deepEqual(rest, Array(3).fill('Bearer made-at-405'));
});

test('a socket that was opened without a token is told none later', async (t) => {
  let token = '';
  const { listen, pass, settle } = world(t, { token: async () => token });
  listen();
  await settle();
  token = 'made-later';
  await pass(10 * MINUTE);
  assert.deepEqual(FakeSocket.all[0].tokens, []);
});

test('a token that ends, with no renewal come through, costs another socket with another token', async (t) => {
  const { listen, pass, settle, ends } = world(t);
  listen();
  await settle();
  const [first] = FakeSocket.all;
  first.send = () => {};
  first.close(4403, 'The token has expired.');
  await settle();
  assert.equal(ends.length, 1);
  await pass(10 * MINUTE);
  listen();
  await settle();
  assert.deepEqual(FakeSocket.all[1].tokens, ['Bearer made-at-600']);
});

test('after the end of a token the next subscription begins behind what has come', async (t) => {
  const { engine, device, client, until } = fakeEngine(t);
  engine.connect(client);
  await until(() => engine.status.connection.state === 'online');
  client.subscriptions[0].observer.next({ data: { messageReceived: envelope('1') } });
  client.subscriptions[0].observer.next({ data: { messageReceived: envelope('2') } });
  await until(() => device.cursor === '2');
  client.subscriptions[0].observer.error({ code: 4403, reason: 'The token has expired.' });
  await until(() => client.subscriptions.length === 2);
  assert.deepEqual(client.subscriptions[1].variables, { after: '2' });
  client.subscriptions[1].observer.next({ data: { messageReceived: envelope('3') } });
  await until(() => device.cursor === '3');
  const taken = device.calls('receive').flatMap(({ envelopes }) => envelopes.map(({ cursor }) => cursor));
  assert.deepEqual(taken, ['1', '2', '3']);
});
