// The client as a program on one's own machine: it starts without a network, changes its version when told to, and runs no
// script but its own.
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serve } from '../../app/test/serve.mjs';
import { atEnd, Person, Server, temporaryDirectory } from '../../testing/programs.mjs';
import { launch } from '../browser.mjs';
import { Client } from '../client.mjs';

const built = fileURLToPath(new URL('../../app/dist/', import.meta.url));

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('starts while the server is away, and leaves all but its own files to the network', async (t) => {
  const server = await Server.start(t);
  const alice = await Client.open(t, browser, server.url);
  await alice.begin('Alice');
  await alice.installed();
  const carol = await Person.arrive(t, server.url, { boxes: false });
  await carol.letter('send', (await alice.share()).id, 'kept on the device');
  const kept = alice.list.getByText('kept on the device');
  await kept.waitFor();
  assert.equal(await alice.page.evaluate(async () => (await fetch('/healthz')).text()), 'ok\n');
  await server.stop();
  alice.profile.expected = /ERR_CONNECTION_REFUSED|WebSocket|Failed to fetch/;
  await alice.page.reload();
  await kept.waitFor();
  for (const path of ['/healthz', '/graphql', '/playground/']) {
    const answer = await alice.page.evaluate((path) => fetch(path).then(({ status }) => status, () => 'network'), path);
    assert.equal(answer, 'network', path);
  }
});

test('offers a new version, and changes to it only when told to', async (t) => {
  const dir = await temporaryDirectory(t);
  await cp(built, dir, { recursive: true });
  const host = await serve(dir);
  atEnd(t, () => host.stop());
  const alice = await Client.open(t, browser, host.url);
  alice.profile.expected = /status of 404/; // no server is behind these files
  const next = alice.page.locator('meta[name="test-version"]');
  await alice.button('Start').waitFor();
  await alice.installed();
  await renew(dir);
  await alice.page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  const offer = alice.page.getByRole('alert').filter({ hasText: 'A new version is ready' });
  await offer.waitFor();
  await alice.page.reload();
  await offer.waitFor();
  assert.equal(await next.count(), 0, 'the old version until told otherwise');
  await offer.getByRole('button', { name: 'Reload' }).click();
  await next.waitFor({ state: 'attached' });
  await alice.button('Start').waitFor();
});

/** What the next build would change: the page, and its mark in the service worker. */
async function renew(dir) {
  const [page, worker] = [join(dir, 'index.html'), join(dir, 'sw.js')];
  const html = await readFile(page, 'utf8');
  await writeFile(page, html.replace('<title>', '<meta name="test-version" content="2" /><title>'));
  const script = await readFile(worker, 'utf8');
  const changed = script.replace(/(url:"index\.html",revision:)"\w+"/, '$1"2"');
  assert.notEqual(changed, script);
  await writeFile(worker, changed);
}

test('no text becomes a script or markup', async (t) => {
  const server = await Server.start(t);
  const alice = await Client.open(t, browser, server.url);
  await alice.begin('Alice');
  alice.profile.expected = /require-trusted-types-for|trusted-types|TrustedScript|TrustedHTML|script-src|Content Security Policy/;
  const ran = await alice.page.evaluate(() => {
    const attempts = {
      markup: () => (document.createElement('div').innerHTML = '<img src=x onerror=alert(1)>'),
      script: () => (document.createElement('script').src = '/assets/../sent-by-somebody.js'),
      foreign: () => (document.createElement('script').src = 'https://example.com/assets/index.js'),
      data: () => new Worker('data:text/javascript,1'),
      worker: () => new Worker('/graphql?query=%7Bserver%7D'),
      policy: () => window.trustedTypes.createPolicy('more', { createHTML: (text) => text }),
      again: () => window.trustedTypes.createPolicy('default', { createHTML: (text) => text }),
    };
    return Object.keys(attempts).filter((name) => {
      try {
        attempts[name]();
        return true;
      } catch {
        return false;
      }
    });
  });
  assert.deepEqual(ran, []);
});
