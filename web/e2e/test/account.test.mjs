// What a person may ask about themselves: what the server has of them, and that it forgets them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { two } from '../client.mjs';
import { Server } from '../../testing/programs.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('what the server has of somebody is handed over as a file, and holds nothing that was written', async (t) => {
  const server = await Server.start(t);
  const { alice, bob } = await two(t, browser, server);
  const { id } = await bob.share();
  await bob.send('between us');
  await alice.list.getByRole('button', { name: /between us/ }).waitFor();

  const settings = await bob.settings();
  const download = bob.page.waitForEvent('download');
  await settings.getByRole('button', { name: 'Export what the server has about you' }).click();
  const file = await download;
  assert.equal(file.suggestedFilename(), 'letterlock-export.json');
  const text = await readFile(await file.path(), 'utf8');
  const { exportUser, mailbox } = JSON.parse(text);
  assert.equal(exportUser.userId, id);
  assert.equal(exportUser.devices.length, 1);
  assert.ok(exportUser.devices[0].prekeys.length > 0);
  assert.deepEqual(mailbox, []);
  assert.ok(!text.includes('between us'));
});

test('who deletes their account is gone from the server’s database and from the browser, once they have said so', async (t) => {
  const server = await Server.start(t);
  const { alice, bob } = await two(t, browser, server);
  const { id } = await bob.share();
  await bob.send('farewell');
  await bob.state('farewell', 'Sent');
  await alice.list.getByRole('button', { name: /farewell/ }).click();
  await alice.send('so soon?');
  await bob.shows('so soon?');
  assert.ok((await server.dump()).includes(id), 'the looking itself does not work');

  await (await bob.settings()).getByRole('button', { name: 'Delete this account' }).click();
  const question = bob.dialog('Delete this account for good?');
  await question.getByRole('button', { name: 'Delete account' }).click();
  await question.getByText('Type “delete” first.').waitFor();
  assert.ok((await server.dump()).includes(id));
  await question.getByLabel('Type “delete” to go on').fill('delete');
  await question.getByRole('button', { name: 'Delete account' }).click();
  await bob.page.getByText('The server has forgotten you.').waitFor();
  await bob.page.getByText('You have signed out').waitFor();

  assert.ok(!(await server.dump()).includes(id), 'the database still knows the id');
  assert.deepEqual(await bob.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name)), []);
  // What was sent stays with whom it was sent to; an answer finds nobody.
  await alice.shows('farewell');
  await alice.send('are you there?');
  await alice.messages.getByText('The server knows nobody with this id').waitFor();

  // The browser can begin anew, as somebody else.
  await bob.page.goto(server.url);
  await bob.begin('Bob');
  assert.notEqual((await bob.share()).id, id);
});
