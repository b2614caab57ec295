// The example against the real server and the real command line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd, Person, start, startServer, within } from '../../testing/programs.mjs';
import { Messenger } from '../api.mjs';
import { newDevice } from '../identity.mjs';

async function registered(t, server) {
  const messenger = new Messenger(server, newDevice());
  atEnd(t, () => messenger.close());
  await messenger.register();
  return messenger;
}

/** Receives until the test ends. `next` gives one message after the other. */
function receiving(t, messenger) {
  const arrived = [];
  const wanted = [];
  const stop = new AbortController();
  const ended = messenger.receive((message) => {
    const take = wanted.shift();
    if (take) take(message);
    else arrived.push(message);
  }, stop.signal);
  const next = () => (arrived.length > 0 ? arrived.shift() : new Promise((resolve) => wanted.push(resolve)));
  atEnd(t, async () => {
    stop.abort();
    await ended;
  });
  return { next: () => within(Promise.race([next(), ended]), () => 'a message') };
}

test('letter listen shows a box that Apollo sent', async (t) => {
  const server = await startServer(t);
  const messenger = await registered(t, server);
  const bob = await Person.arrive(t, server);
  const listening = bob.listen();

  assert.deepEqual(await messenger.send(bob.id, 'hello from Apollo'), []);

  await listening.find((line) => line.includes('hello from Apollo'), 'the message');
});

test('Apollo opens boxes that letter send sealed, live and in order, and acknowledges them', async (t) => {
  const server = await startServer(t);
  const messenger = await registered(t, server);
  const alice = await Person.arrive(t, server);
  await alice.letter('send', messenger.device.userId, 'sealed while nobody listened');

  const messages = receiving(t, messenger);
  const first = await messages.next();
  await alice.letter('send', messenger.device.userId, 'sealed live');
  const second = await messages.next();

  assert.deepEqual(
    [first, second].map(({ from, text, counter, refused }) => ({ from, text, counter, refused })),
    [
      { from: alice.id, text: 'sealed while nobody listened', counter: 1n, refused: undefined },
      { from: alice.id, text: 'sealed live', counter: 2n, refused: undefined },
    ],
  );
});

test('two Apollo clients talk, and what was acknowledged does not come again', async (t) => {
  const server = await startServer(t);
  const [alice, bob] = [await registered(t, server), await registered(t, server)];
  const early = new AbortController();
  await alice.send(bob.device.userId, 'one');
  await bob.receive(() => early.abort(), early.signal);
  bob.accepted.clear(); // or it would drop the double itself

  await alice.send(bob.device.userId, 'two');
  const { text } = await receiving(t, bob).next();

  assert.equal(text, 'two');
});

test('the example of the README sends, prints its user id, and shows what arrives', async (t) => {
  const server = await startServer(t);
  const bob = await Person.arrive(t, server);
  const listening = bob.listen();
  const path = fileURLToPath(new URL('../example.mjs', import.meta.url));

  const example = start(t, process.execPath, [path, server, bob.id, 'hello from the example']);
  const introduction = await example.find((line) => line.startsWith('I am u'), 'its user id');
  await listening.find((line) => line.includes('hello from the example'), 'the message');
  await bob.letter('send', introduction.replace('I am ', ''), 'hello yourself');

  await example.find((line) => line === `${bob.id}: hello yourself`, 'the answer');
});

test('a second reader of one device takes over, and the first is told', async (t) => {
  const server = await startServer(t);
  const [first, alice] = [await registered(t, server), await registered(t, server)];
  await alice.send(first.device.userId, 'for the first');
  const reading = new AbortController();
  const started = new Promise((resolve) => {
    const ended = first.receive(() => resolve({ ended }), reading.signal);
    ended.catch(() => {}); // looked at below
  });
  const { ended } = await within(started, () => 'the first reader');

  const second = new Messenger(server, first.device);
  atEnd(t, () => second.close());
  receiving(t, second);

  await assert.rejects(within(ended, () => 'the end of the first reader'), (failure) => {
    assert.equal(failure.errors[0].extensions.code, 'SUPERSEDED');
    return true;
  });
});

test('a user whom nobody registered is refused', async (t) => {
  const messenger = await registered(t, await startServer(t));
  await assert.rejects(messenger.send(newDevice().userId, 'hello'), /knows no user/);
});

test('registering twice changes nothing', async (t) => {
  const messenger = await registered(t, await startServer(t));
  await messenger.register();
});
