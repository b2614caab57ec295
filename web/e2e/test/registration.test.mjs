// Servers that do not take everybody.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { Client } from '../client.mjs';
import { Server } from '../../testing/programs.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('who has an invite registers with it, and another one can be tried', async (t) => {
  const server = await Server.start(t, { LETTERLOCK_REGISTRATION: 'invite' });
  const [used, good] = (await server.command('invite', '--count', '2')).split('\n');
  const [alice, bob] = await Promise.all([Client.open(t, browser, server.url), Client.open(t, browser, server.url)]);
  await alice.page.getByLabel('Invite').fill(used);
  await alice.begin('Alice');
  await alice.online();

  await bob.page.getByLabel('Invite').fill(used);
  await bob.begin('Bob');
  await bob.button('Enter an invite').click();
  const dialog = bob.dialog('Enter an invite');
  await dialog.getByLabel('Invite').fill(good);
  await dialog.getByRole('button', { name: 'Register' }).click();
  await bob.online();
  await bob.add((await alice.share()).link);
  await bob.send('we are in');
  await alice.list.getByRole('button', { name: /we are in/ }).waitFor();
});

test('a server that takes nobody says so before anything is made', async (t) => {
  const server = await Server.start(t, { LETTERLOCK_REGISTRATION: 'closed' });
  const client = await Client.open(t, browser, server.url);
  await client.page.getByText('This server takes no new people').waitFor();
  assert.equal(await client.button('Start').count(), 0);
});
