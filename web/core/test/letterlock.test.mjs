// What a program holds, over a worker that says what a test wants.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tabs } from '../src/tabs.js';

globalThis.WebSocket ??= class {}; // Node 20 has none, and nothing is opened here
const { Letterlock } = await import('../src/letterlock.js');

class FakeWorker extends EventTarget {
  ended = false;
  asked = [];

  postMessage(message) {
    this.asked.push(message);
  }

  /** Fails the call that came first, as the worker's code does. */
  fail(code) {
    const [{ id }] = this.asked;
    this.dispatchEvent(new MessageEvent('message', { data: { id, error: { code, message: code } } }));
  }

  terminate() {
    this.ended = true;
  }
}

const options = (profile) => ({ server: 'http://localhost:8080', profile, wasm: '' });

test('a device that does not start leaves the lead to other tabs', { timeout: 20_000 }, async () => {
  const worker = new FakeWorker();
  const opening = Letterlock.open(options(crypto.randomUUID()), worker);
  worker.fail('assets');
  await assert.rejects(opening, { code: 'assets' });
  assert.ok(worker.ended, 'it holds the lock, and nobody else can lead');
});

test('a tab that comes to lead and can’t says so, and leaves the lead to others', { timeout: 20_000 }, async (t) => {
  const profile = crypto.randomUUID();
  const quiet = { leader() {}, event() {}, erasing() {}, hears() {}, connect() {} };
  const leader = new Tabs(profile, quiet);
  leader.lead(async () => {}, () => ({ phase: 'ready', passphrase: false, connection: { state: 'online' } }));
  const worker = new FakeWorker();
  const follower = await Letterlock.open(options(profile), worker);
  t.after(() => follower.close());
  leader.close();
  worker.fail('assets');
  while (follower.status().connection.state !== 'failed') await new Promise(setImmediate);
  assert.ok(worker.ended, 'it holds the lock, and nobody else can lead');
});
