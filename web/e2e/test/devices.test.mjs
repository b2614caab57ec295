// Tabs, devices, passphrases, and people who turn out to be somebody else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { Client } from '../client.mjs';
import { Person, Server } from '../../testing/programs.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function aliceAndCarol(t, options) {
  const server = await Server.start(t);
  const alice = await Client.open(t, browser, server.url);
  await alice.begin('Alice', options);
  const carol = await Person.arrive(t, server.url, { boxes: false });
  await alice.add(carol.id, 'Carol');
  const { id } = await alice.share();
  return { server, alice, carol, id };
}

test('a second tab follows the first and takes over when it goes', async (t) => {
  const { alice, carol, id } = await aliceAndCarol(t);
  await alice.send('from the first tab');
  await alice.state('from the first tab', 'Sent');
  const second = await Client.in(alice.profile);
  await second.open('Carol');
  await second.shows('from the first tab');
  await second.send('from the second tab');
  await second.state('from the second tab', 'Sent');
  await alice.shows('from the second tab');
  await alice.page.close();
  await carol.letter('send', id, 'who is there?');
  await second.shows('who is there?');
  await second.send('still me');
  await second.state('still me', 'Sent');
  assert.deepEqual((await carol.letter('inbox')).match(/from the first tab|from the second tab|still me/g), [
    'from the first tab',
    'from the second tab',
    'still me',
  ]);
});

test('another browser becomes a device, gets what is written, and can be removed', async (t) => {
  const { server, alice, carol, id } = await aliceAndCarol(t);
  const tablet = await Client.open(t, browser, server.url);
  await tablet.button('Link to my other device').click();
  await tablet.button('Show the code').click();
  const code = await tablet.page.getByLabel('Code', { exact: true }).inputValue();

  await (await alice.settings()).getByRole('button', { name: /Linked devices/ }).click();
  await alice.button('Link a new device').click();
  await alice.dialog('Link a new device').getByLabel(/^Code/).fill(code);
  await alice.button('Continue').click();
  await alice.button('Yes, link it').click();
  await tablet.page.getByText(id).waitFor();
  await tablet.button('Yes, link this browser').click();
  await tablet.ready();
  await tablet.online();
  await alice.page.getByRole('list', { name: 'Devices' }).getByRole('listitem').nth(1).waitFor();

  await carol.letter('send', id, 'to all your devices');
  await tablet.list.getByRole('button', { name: /to all your devices/ }).click();
  await tablet.send('from the tablet');
  await tablet.state('from the tablet', 'Sent');
  assert.match(await carol.letter('inbox'), /from the tablet/);

  await alice.button('Unlink').last().click();
  await alice.dialog('Unlink this device?').getByRole('button', { name: /^Unlink/ }).click();
  await tablet.page.locator('[aria-label="Connection"][data-state="removed"]').waitFor();
});

test('a tab that follows links a device, and becomes one', async (t) => {
  const { server, alice, carol, id } = await aliceAndCarol(t);
  const follower = await Client.in(alice.profile);
  await follower.ready();
  const tablet = await Client.open(t, browser, server.url);
  await tablet.button('Link to my other device').waitFor();
  const joining = await Client.in(tablet.profile);
  await joining.button('Link to my other device').click();
  await joining.button('Show the code').click();
  const code = await joining.page.getByLabel('Code', { exact: true }).inputValue();

  await (await follower.settings()).getByRole('button', { name: /Linked devices/ }).click();
  await follower.button('Link a new device').click();
  await follower.dialog('Link a new device').getByLabel(/^Code/).fill(code);
  await follower.button('Continue').click();
  await follower.button('Yes, link it').click();
  await joining.page.getByText(id).waitFor();
  await joining.button('Yes, link this browser').click();
  for (const tab of [joining, tablet]) { // whichever tab has asked, both are the device
    await tab.ready();
    await tab.online();
  }
  await follower.page.getByRole('list', { name: 'Devices' }).getByRole('listitem').nth(1).waitFor();

  await carol.letter('send', id, 'to all your tabs');
  for (const tab of [joining, tablet, alice]) await tab.list.getByText('to all your tabs').waitFor();
});

test('a wrong passphrase opens nothing and changes nothing, the right one does', async (t) => {
  const { alice } = await aliceAndCarol(t, { passphrase: 'correct horse battery' });
  await alice.send('under lock and key');
  await alice.state('under lock and key', 'Sent');
  await alice.page.reload();
  await alice.unlock('incorrect horse');
  await alice.page.getByText('This passphrase is wrong.').waitFor();
  await alice.unlock('correct horse battery');
  await alice.open('Carol');
  await alice.shows('under lock and key');
});

test('who signs out leaves nothing behind, and comes back as somebody else: their contacts are warned', async (t) => {
  const { alice, carol, server } = await aliceAndCarol(t);
  const bob = await Client.open(t, browser, server.url);
  await bob.begin('Bob');
  await alice.add((await bob.share()).id, 'Bob');
  await alice.send('hello Bob');
  await alice.state('hello Bob', 'Sent');

  await (await bob.settings()).getByRole('button', { name: 'Sign out and erase' }).click();
  await bob.page.getByLabel('I know that this cannot be undone').check();
  await bob.button('Erase').click();
  await bob.page.getByText('You have signed out').waitFor();
  assert.deepEqual(await bob.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name)), []);
  await bob.page.goto(server.url);
  await bob.begin('Bob');
  const again = (await bob.share()).id;

  // The same name for another user: nothing is sent before Alice has decided.
  await alice.button('Add a contact').first().click();
  const dialog = alice.dialog('Add a contact');
  await dialog.getByLabel('Their link or id').fill(again);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await dialog.getByLabel('Name').fill('Bob');
  await dialog.getByRole('button', { name: 'Add contact' }).click();
  await dialog.getByRole('button', { name: 'Replace Bob' }).click();
  const warning = alice.page.getByRole('alert').filter({ hasText: 'Bob has a new identity' });
  await warning.waitFor();
  assert.equal(await alice.composer.and(alice.page.locator(':enabled')).count(), 0);
  await warning.getByRole('button', { name: /accept|I know|go on/i }).click();
  await alice.send('welcome back');
  await bob.list.getByRole('button', { name: /welcome back/ }).waitFor();
  void carol;
});

test('the safety number is the same on both screens, and comparing it verifies', async (t) => {
  const { alice, carol } = await aliceAndCarol(t);
  await alice.send('hello');
  await alice.state('hello', 'Sent');
  await carol.letter('inbox');
  await alice.page.getByRole('button', { name: 'About Carol' }).click();
  const digits = await alice.page.getByLabel('The 60 digits').textContent();
  const { id } = await idOf(alice);
  const theirs = await carol.letter('verify', id);
  assert.deepEqual(theirs.match(/\b\d{5}\b/g)?.slice(0, 12), digits.match(/\d{5}/g));
});

async function idOf(client) {
  await client.close();
  const shared = await client.share();
  return shared;
}
