// The quick start of the README, word for word but for the server's address.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { startServer } from '../../testing/programs.mjs';
import { newProfile, servePage, startBrowser } from './pages.mjs';

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

async function quickStart() {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const block = (language) => readme.match(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's'))[1];
  return { 'index.html': block('html'), 'main.js': block('js') };
}

test('two people who follow the quick start get a first message across', async (t) => {
  const server = await startServer(t);
  const files = await quickStart();
  const url = await servePage(t, server, { ...files, 'main.js': files['main.js'].replaceAll('http://localhost:8080', server) });
  const [alice, bob] = await Promise.all([arrive(t, url), arrive(t, url)]);
  const [idOfAlice, idOfBob] = await Promise.all([idOn(alice), idOn(bob)]);
  await alice.getByLabel('To').fill(idOfBob);
  await alice.getByLabel('Text').fill('hello Bob');
  await alice.getByRole('button').click();
  await bob.getByText(`${idOfAlice}: hello Bob`).waitFor();
});

test('the example is the quick start', async () => {
  for (const [name, text] of Object.entries(await quickStart())) {
    assert.equal(await readFile(new URL(`../example/${name}`, import.meta.url), 'utf8'), text);
  }
});

async function arrive(t, url) {
  const page = await (await newProfile(t, browser)).newPage();
  await page.goto(url);
  return page;
}

async function idOn(page) {
  await page.getByText(/^u[a-z2-7]{32}$/).waitFor();
  return page.locator('output').textContent();
}
