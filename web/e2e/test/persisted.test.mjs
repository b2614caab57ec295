// A server that allows the operations of its own web client alone.
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

/** Asks the server from a page of its own. */
const ask = (client, query) =>
  client.page.evaluate(async (query) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) });
    const { data, errors } = await answer.json();
    return { data, code: errors?.[0].extensions.code };
  }, query);

test('the web client does all it does, and nothing else is let in', async (t) => {
  const server = await Server.start(t, { LETTERLOCK_PERSISTED_ONLY: 'web' });
  const { alice, bob } = await two(t, browser, server);
  await bob.send('is this allowed?');
  await alice.list.getByRole('button', { name: /is this allowed/ }).click();
  await alice.send('it is');
  await bob.shows('it is');
  await bob.state('is this allowed?', 'Sent');

  // What is asked for seldom: blocking, one's devices, what the server says of itself, what it has, and to be forgotten.
  await alice.button('Block').click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Block', exact: true }).click();
  await alice.button('Unblock').waitFor();
  const settings = await bob.settings();
  await settings.getByText(/Version: (?!…|not reached)/).waitFor();
  const download = bob.page.waitForEvent('download');
  await settings.getByRole('button', { name: 'Export what the server has about you' }).click();
  await download;
  await settings.getByRole('button', { name: 'Linked devices' }).click();
  await bob.page.getByText('This device', { exact: true }).waitFor();
  await bob.page.keyboard.press('Escape'); // back to the settings
  await bob.button('Delete this account').click();
  const question = bob.dialog('Delete this account for good?');
  await question.getByLabel('Type “delete” to go on').fill('delete');
  await question.getByRole('button', { name: 'Delete account' }).click();
  await bob.page.getByText('You have signed out').waitFor();

  assert.equal((await ask(alice, '{ server { version } }')).code, 'OPERATION_NOT_ALLOWED');
  const manifest = await alice.page.evaluate(async () => (await fetch('/operations.json')).json());
  const { body } = manifest.operations.find(({ name }) => name === 'ServerInfo');
  const allowed = await ask(alice, body);
  assert.ok(allowed.data.server.version, JSON.stringify(allowed));
  assert.equal((await ask(alice, `${body}\n`)).code, 'OPERATION_NOT_ALLOWED');
});
