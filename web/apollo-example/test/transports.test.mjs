// The other ways to subscribe that the server promises: the legacy WebSocket protocol and server-sent events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { print } from 'graphql';
import { createClient as createEventClient } from 'graphql-sse';
import { SubscriptionClient } from 'subscriptions-transport-ws';
import WebSocket from 'ws';
import { atEnd, Person, startServer, within } from '../../testing/programs.mjs';
import { Messenger } from '../api.mjs';
import { newDevice, newToken } from '../identity.mjs';
import { RECEIVE } from '../operations.mjs';

const query = print(RECEIVE);

/** A registered device, a person to write to it, and the first message that a subscription of any kind gives. */
async function received(t, subscribe) {
  const server = await startServer(t);
  const messenger = new Messenger(server, newDevice());
  atEnd(t, () => messenger.close());
  await messenger.register();
  const alice = await Person.arrive(t, server);
  const authorization = `Bearer ${newToken(messenger.device, server)}`;

  const first = subscribe(server, authorization);
  await alice.letter('send', messenger.device.userId, 'by another way');
  const { data, errors } = await within(first, () => 'a message');
  assert.equal(errors, undefined);

  let shown;
  await messenger.take(data.messageReceived, (message) => {
    shown = message;
  });
  return { shown, alice };
}

test('subscriptions-transport-ws: the legacy graphql-ws protocol', async (t) => {
  const { shown, alice } = await received(t, async (server, authorization) => {
    const url = `${server.replace(/^http/, 'ws')}/graphql`;
    const client = new SubscriptionClient(url, { connectionParams: { Authorization: authorization } }, WebSocket);
    atEnd(t, () => client.close());
    return new Promise((next, error) => client.request({ query }).subscribe({ next, error }));
  });
  assert.equal(shown.text, 'by another way');
  assert.equal(shown.from, alice.id);
});

test('graphql-sse: server-sent events, one connection an operation', async (t) => {
  const { shown, alice } = await received(t, async (server, authorization) => {
    const client = createEventClient({ url: `${server}/graphql`, headers: { authorization }, retryAttempts: 0 });
    atEnd(t, () => client.dispose());
    const { value } = await client.iterate({ query }).next();
    return value;
  });
  assert.equal(shown.text, 'by another way');
  assert.equal(shown.from, alice.id);
});
