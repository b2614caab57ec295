// A stranger's first message is a request, which may be refused for good.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { two } from '../client.mjs';
import { Server } from '../../testing/programs.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('a stranger learns nothing, is blocked without being told, and may be let in again', async (t) => {
  const server = await Server.start(t);
  const { alice, bob } = await two(t, browser, server);
  await bob.send('do you know me?');
  await alice.list.getByRole('button', { name: /do you know me/ }).click();
  await alice.page.getByText('not among your contacts').waitFor();
  await alice.button('Block').click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Block', exact: true }).click();
  await alice.button('Unblock').waitFor();
  assert.equal(await alice.composer.count(), 0);

  await bob.send('are you there?');
  await bob.state('are you there?', 'Sent');
  await alice.button('Unblock').click();
  await alice.composer.waitFor();
  await bob.send('once more');
  await alice.shows('once more');
  assert.equal(await alice.message('are you there?').count(), 0, 'what was sent meanwhile has come');
  assert.equal(await bob.messages.getByRole('img', { name: 'Delivered' }).count(), 0, 'a stranger was told that it was delivered');
});
