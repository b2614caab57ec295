// Two browsers and the command line talk, over the real server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { two } from '../client.mjs';
import { Person, Server } from '../../testing/programs.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('two people in browsers and one with the command line write to each other', async (t) => {
  const server = await Server.start(t);
  const { alice, bob } = await two(t, browser, server);
  const carol = await Person.arrive(t, server.url, { boxes: false });

  await bob.open('Alice');
  await bob.send('hello from Bob');
  await alice.list.getByRole('button', { name: /hello from Bob/ }).click();
  await alice.shows('hello from Bob');
  await alice.send('hello Bob');
  await bob.shows('hello Bob');
  await alice.state('hello Bob', 'Sent');

  // Who answers somebody has them among those who learn of what arrives.
  await bob.send('and again');
  await alice.shows('and again');
  await bob.state('and again', 'Delivered');

  const { id } = await alice.share();
  await carol.letter('send', id, 'hello from a terminal');
  await alice.list.getByRole('button', { name: /hello from a terminal.*1 unread/s }).click();
  await alice.list.getByRole('button', { name: /unread/ }).waitFor({ state: 'detached' });
  await alice.shows('hello from a terminal');
  await alice.send('hello terminal');
  await alice.state('hello terminal', 'Sent');
  assert.match(await carol.letter('inbox'), /hello terminal/);
});

test('what was read is said to be read, if its reader wants that', async (t) => {
  const server = await Server.start(t);
  const { alice, bob } = await two(t, browser, server);
  await alice.add((await bob.share()).link);
  const settings = await bob.settings();
  await settings.getByLabel('Tell others when I have read their messages').click();
  await settings.getByRole('switch', { name: 'Tell others when I have read their messages', checked: true }).waitFor();
  await bob.close();

  await alice.send('have you read this?');
  await bob.shows('have you read this?'); // the conversation is open
  await alice.state('have you read this?', 'Read');
});

test('after a reload everything is there, a draft too', async (t) => {
  const server = await Server.start(t);
  const { alice, bob } = await two(t, browser, server);
  await bob.open('Alice');
  await bob.send('before the reload');
  await bob.state('before the reload', 'Sent');
  await bob.composer.fill('half a thought');
  await bob.list.getByRole('button', { name: /Alice/ }).getByText('half a thought').waitFor();
  await bob.page.reload();
  await bob.open('Alice');
  await bob.shows('before the reload');
  assert.equal(await bob.composer.inputValue(), 'half a thought');
  await alice.list.getByRole('button', { name: /before the reload/ }).click();
  await alice.send('still here');
  await bob.shows('still here');
});
