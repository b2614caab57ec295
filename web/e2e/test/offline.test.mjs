// The network goes, the server goes, and nothing is lost, doubled or out of order.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { Client, two } from '../client.mjs';
import { Person, Server } from '../../testing/programs.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** All texts of a conversation in their order, by scrolling from its end up to its first message. */
async function readUpwards(client, first) {
  const texts = [];
  const list = client.messages.locator('article [dir=auto]');
  await client.messages.hover();
  for (let seen = []; seen[0] !== first; ) {
    seen = await list.allTextContents();
    const known = texts.length ? seen.indexOf(texts[0]) : seen.length;
    texts.unshift(...seen.slice(0, known < 0 ? 0 : known));
    if (seen[0] !== first) {
      await client.page.mouse.wheel(0, -600);
      await client.page.waitForFunction(([text]) => document.querySelector('[role=log] article [dir=auto]')?.textContent !== text, [seen[0]]);
    }
  }
  return texts;
}

test('what is written offline goes out once, in order, when the network is back', async (t) => {
  const server = await Server.start(t);
  const alice = await Client.open(t, browser, server.url);
  await alice.begin('Alice');
  const carol = await Person.arrive(t, server.url, { boxes: false });
  await alice.add(carol.id, 'Carol');
  await alice.installed();
  alice.profile.expected = /ERR_INTERNET_DISCONNECTED|WebSocket|Failed to fetch/;
  await alice.profile.context.setOffline(true);
  for (const text of ['one', 'two', 'three']) await alice.send(text);
  await alice.state('three', 'Sending');
  await alice.page.reload({ waitUntil: 'commit' }).catch(() => {}); // the shell comes from the service worker
  await alice.open('Carol');
  await alice.shows('two');
  await alice.profile.context.setOffline(false);
  await alice.state('three', 'Sent');
  const inbox = await carol.letter('inbox');
  assert.deepEqual(inbox.match(/\b(one|two|three)\b/g), ['one', 'two', 'three']);
});

test('a server that restarts in mid-conversation costs nothing', async (t) => {
  const server = await Server.start(t);
  const { alice, bob } = await two(t, browser, server);
  for (const client of [alice, bob]) client.profile.expected = /ERR_CONNECTION_REFUSED|WebSocket|Failed to fetch|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/;
  await bob.send('before');
  await alice.list.getByRole('button', { name: /before/ }).click();
  await server.stop('SIGKILL');
  await bob.send('while it was down');
  await alice.send('so was I');
  await bob.state('while it was down', 'Sending');
  await server.start();
  await alice.shows('while it was down');
  await bob.shows('so was I');
  await bob.send('after');
  await alice.shows('after');
});

test('300 messages that waited for a day come in order, once', async (t) => {
  const server = await Server.start(t);
  const alice = await Client.open(t, browser, server.url);
  await alice.begin('Alice');
  await alice.online();
  const { id } = await alice.share();
  await alice.page.close();
  const carol = await Person.arrive(t, server.url, { boxes: false });
  const sent = Array.from({ length: 300 }, (_, i) => `message ${i + 1}.`);
  for (const text of sent) await carol.letter('send', id, text);
  const again = await Client.in(alice.profile);
  await again.list.getByRole('button', { name: /message 300\./ }).click();
  await again.shows('message 300.');
  await again.list.getByRole('button', { name: /300 unread/ }).waitFor({ state: 'detached' });
  assert.deepEqual(await readUpwards(again, 'message 1.'), sent);
});
