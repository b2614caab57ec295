// The playground as someone uses it: in a real browser, under the server's Content-Security-Policy, without the internet.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { artifacts, launch } from '../browser.mjs';
import { atEnd, PATIENCE_MS, Person, startServer } from '../../testing/programs.mjs';

let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** The playground in a fresh profile. At the end of the test it fails for whatever the browser complained about. */
async function open(t, server, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure().errorText}`));
  for (const kind of ['request', 'websocket']) {
    page.on(kind, (made) => {
      const { host, protocol } = new URL(made.url());
      if (protocol !== 'data:' && host !== new URL(server).host) complaints.push(`${kind} to ${made.url()}`);
    });
  }
  await page.exposeFunction('complain', (text) => complaints.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.complain(`${event.violatedDirective} refused ${event.blockedURI} of ${event.sourceFile}`);
    });
  });
  await page.goto(`${server}/playground`);
  // The editors are loaded after the page; without them the button does nothing.
  for (const part of ['.graphiql-execute-button', '.graphiql-query-editor .CodeMirror', '.result-window .CodeMirror']) {
    await page.locator(part).waitFor();
  }
  const playground = new Playground(page, complaints);
  atEnd(t, async () => {
    await context.close();
    assert.deepEqual(complaints.filter((complaint) => !playground.expected?.test(complaint)), []);
  });
  return playground;
}

class Playground {
  /** @type {RegExp | undefined} complaints that belong to the test */
  expected;

  constructor(page, complaints) {
    this.page = page;
    this.complaints = complaints;
    this.result = page.locator('.result-window');
    this.token = page.getByLabel('Device token');
    this.says = page.locator('.token').getByRole('status');
  }

  tab(name) {
    return this.page.getByRole('tab', { name, exact: true }).click();
  }

  async headers(headers) {
    await this.page.getByRole('button', { name: 'Headers', exact: true }).click();
    const editor = this.page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror');
    await editor.click();
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.insertText(JSON.stringify(headers));
  }

  run() {
    return this.page.locator('.graphiql-execute-button').click();
  }

  shows(text) {
    return this.result.filter({ hasText: text }).waitFor();
  }
}

const tokenOf = async (person) => (await person.letter('token')).trim();

test('the first query needs nothing but a click', async (t) => {
  const server = await startServer(t);
  const playground = await open(t, server);
  assert.equal(await playground.page.title(), 'Letterlock playground');
  await playground.run();
  await playground.shows('"protocolVersions"');
  await playground.shows(server);
});

test('a pasted token shows its device, and a subscription shows what letter send sends', async (t) => {
  const server = await startServer(t);
  const [alice, bob] = [await Person.arrive(t, server), await Person.arrive(t, server)];
  const token = await tokenOf(alice);
  const playground = await open(t, server);

  await playground.tab('Viewer');
  await playground.token.fill(token);
  await playground.says.filter({ hasText: 'good until' }).waitFor();
  await playground.run();
  await playground.shows(alice.id);

  await playground.tab('Incoming');
  const socket = playground.page.waitForEvent('websocket');
  await playground.run();
  const closed = (await socket).waitForEvent('close', { timeout: PATIENCE_MS });
  await bob.letter('send', alice.id, 'seen only by alice');
  await playground.shows(bob.id);
  assert.ok(!(await playground.result.textContent()).includes('seen only by alice'));
  await playground.page.screenshot({ path: `${artifacts}/subscription.png` });
  await playground.run(); // the same button stops it
  await closed;

  assert.match(await alice.letter('inbox'), /seen only by alice/);
});

test('a token is in memory alone: nothing stores it, and it is gone with the page or when told to be', async (t) => {
  const server = await startServer(t);
  const alice = await Person.arrive(t, server);
  const token = await tokenOf(alice);
  const playground = await open(t, server);
  const { page } = playground;

  await playground.tab('Viewer');
  await playground.token.fill(token);
  await playground.run();
  await playground.shows(alice.id);
  await page.getByRole('button', { name: 'Forget' }).click();
  await playground.run();
  await playground.shows('"viewer": null');
  assert.equal(await playground.token.inputValue(), '');

  await playground.token.fill(token);
  await playground.run();
  await playground.shows(alice.id);
  assert.deepEqual(await kept(page, token), []);
  await page.reload();
  await playground.token.waitFor();
  assert.equal(await playground.token.inputValue(), '');
});

/** Where a page could keep something from one visit to the next, and does keep this text. */
async function kept(page, text) {
  const places = await page.evaluate(async () => ({
    localStorage: JSON.stringify({ ...localStorage }),
    sessionStorage: JSON.stringify({ ...sessionStorage }),
    address: location.href,
    cookie: document.cookie,
    databases: JSON.stringify(await indexedDB.databases()),
    caches: JSON.stringify(await caches.keys()),
  }));
  assert.ok(places.localStorage.includes('viewer'), 'GraphiQL keeps queries: this looks at the wrong place');
  assert.deepEqual([places.databases, places.caches], ['[]', '[]']);
  return Object.keys(places).filter((place) => places[place].includes(text));
}

test('a token may come with what letter token prints around it, and a header by hand counts for more', async (t) => {
  const server = await startServer(t);
  const [alice, bob] = [await Person.arrive(t, server), await Person.arrive(t, server)];
  const playground = await open(t, server);
  await playground.tab('Viewer');
  await playground.token.fill(await alice.letter('token', '--playground'));
  await playground.run();
  await playground.shows(alice.id);
  await playground.headers({ authorization: `Bearer ${await tokenOf(bob)}` });
  await playground.run();
  await playground.shows(bob.id);
});

test('what is no token is said to be none and is not sent', async (t) => {
  const playground = await open(t, await startServer(t));
  await playground.tab('Viewer');
  await playground.token.fill('hello');
  await playground.says.filter({ hasText: 'no token' }).waitFor();
  const request = playground.page.waitForRequest('**/graphql');
  await playground.run();
  assert.equal(await (await request).headerValue('authorization'), null);
  await playground.shows('"viewer": null');
});

test('a refused token is told from a broken connection', async (t) => {
  const playground = await open(t, await startServer(t));
  await playground.tab('Incoming');
  await playground.token.fill('eyJx.y.z');
  await playground.run();
  await playground.shows(/token/i);
});

test('a script or a style that got into the page does nothing', async (t) => {
  const playground = await open(t, await startServer(t));
  const effects = await playground.page.evaluate(() => {
    for (const [name, text] of [
      ['script', 'window.intruded = true'],
      ['style', 'body { display: none }'],
    ]) {
      const element = document.createElement(name);
      element.textContent = text;
      document.head.append(element);
    }
    return [window.intruded, getComputedStyle(document.body).display];
  });
  assert.deepEqual(effects, [undefined, 'block']);
  playground.expected = /\binline\b/;
  assert.ok(playground.complaints.some((complaint) => playground.expected.test(complaint)), 'nobody would have noticed');
});

for (const colorScheme of ['light', 'dark']) {
  test(`it fits its window and opens its panels, ${colorScheme}`, async (t) => {
    const server = await startServer(t);
    const playground = await open(t, server, { colorScheme, viewport: { width: 1024, height: 640 } });
    const { page } = playground;
    await playground.run();
    await playground.shows('"protocolVersions"');
    await page.screenshot({ path: `${artifacts}/${colorScheme}.png` });
    const [red] = await page
      .locator('.graphiql-container')
      .evaluate((element) => getComputedStyle(element).backgroundColor.match(/\d+/g));
    assert.equal(Number(red) > 128, colorScheme === 'light', `background of red ${red}`);
    const overflow = await page.evaluate(() => {
      const { scrollWidth, scrollHeight, clientWidth, clientHeight } = document.documentElement;
      return [scrollWidth - clientWidth, scrollHeight - clientHeight];
    });
    assert.deepEqual(overflow, [0, 0]);

    await page.getByLabel('Show Documentation Explorer').click();
    await page.getByText('MessageConnection', { exact: true }).waitFor();
    await page.screenshot({ path: `${artifacts}/${colorScheme}-documentation.png` });
    await page.getByLabel('Open settings dialog').click();
    await page.getByRole('dialog').waitFor();
    await page.screenshot({ path: `${artifacts}/${colorScheme}-settings.png` });
  });
}
