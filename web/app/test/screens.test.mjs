// Every screen in Chromium over the in-memory core: at two widths, light and dark, under the strict policy. axe finds nothing
// serious, the browser complains about nothing, nothing jumps. The pictures are for eyes: artifacts/app.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { serve } from './serve.mjs';

const PATIENCE_MS = 15_000;
const MOST_SHIFT = 0.02;
const root = fileURLToPath(new URL('..', import.meta.url));
const axe = fileURLToPath(new URL('../node_modules/axe-core/axe.min.js', import.meta.url));
const pictures = fileURLToPath(new URL('../../../artifacts/app/', import.meta.url));
const WIDTHS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 800 } };

let browser;
let server;
let dir;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'letterlock-app-'));
  await mkdir(pictures, { recursive: true });
  await build({ root, mode: 'fake', logLevel: 'error', build: { outDir: dir, emptyOutDir: true } });
  server = await serve(dir);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_BIN || '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
});
after(async () => {
  await browser?.close();
  await server?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

/** Each screen: where it begins, and how one comes to it. */
const SCREENS = {
  welcome: { query: '?phase=empty', ready: (page) => page.getByRole('button', { name: 'Start' }) },
  invited: { query: `?phase=empty#add=u${'a'.repeat(32)}&name=Alice`, ready: (page) => page.getByText('Alice wants to write with you') },
  join: { query: '?phase=empty&answers=600000', go: showCode, ready: (page) => page.getByRole('img', { name: 'QR code to link this device' }) },
  joining: { query: '?phase=empty&answers=0', go: showCode, ready: (page) => page.getByText('Is this your identity?') },
  unlock: { query: '?phase=locked', ready: (page) => page.getByRole('button', { name: 'Unlock', exact: true }) },
  list: { ready: (page) => page.getByRole('list', { name: 'Conversations' }).getByText('Mira Lindqvist') },
  conversation: { go: open('Mira Lindqvist'), ready: (page) => page.getByRole('log', { name: 'Messages' }).getByText('With soup.') },
  stranger: { go: open(/^ustra/), ready: (page) => page.getByText('not among your contacts') },
  changed: { go: open('Tom'), ready: (page) => page.getByText('Tom has a new identity') },
  empty: { go: open('Book club'), ready: (page) => page.getByText('Nothing was written yet') },
  search: {
    go: (page) => page.getByRole('searchbox', { name: 'Search' }).fill('soup'),
    ready: (page) => page.getByText('100 or more messages'),
  },
  person: {
    go: async (page) => {
      await open('Grandmother')(page);
      await page.getByRole('button', { name: 'About Grandmother' }).click();
    },
    ready: (page) => page.getByRole('img', { name: 'QR code of the safety number' }),
  },
  share: { go: press('Share my link'), ready: (page) => page.getByRole('img', { name: 'QR code of my link' }) },
  add: { go: press('Add a contact'), ready: (page) => page.getByRole('button', { name: 'Scan with camera' }) },
  invitation: { query: `?#add=u${'b'.repeat(32)}&name=Bob`, ready: (page) => page.getByText('Write with Bob?') },
  settings: { go: press('Settings'), ready: (page) => page.getByText('1.0.0-fake') },
  devices: {
    go: async (page) => {
      await press('Settings')(page);
      await page.getByRole('button', { name: 'Linked devices' }).click();
    },
    ready: (page) => page.getByText('This device', { exact: true }),
  },
  'sign-out': {
    go: async (page) => {
      await press('Settings')(page);
      await page.getByRole('button', { name: 'Sign out and erase' }).click();
    },
    ready: (page) => page.getByRole('button', { name: 'Erase', exact: true }),
  },
  'delete-account': {
    go: async (page) => {
      await press('Settings')(page);
      await page.getByRole('button', { name: 'Delete this account' }).click();
    },
    ready: (page) => page.getByRole('button', { name: 'Delete account', exact: true }),
  },
  offline: { query: '?state=waiting', go: open('Jonas'), ready: (page) => page.getByText('Offline. Messages will be sent') },
  superseded: { query: '?state=superseded', ready: (page) => page.getByRole('button', { name: 'Use here' }) },
};

function open(name) {
  return (page) => page.getByRole('list', { name: 'Conversations' }).getByText(name).click();
}

function press(name) {
  return (page) => page.getByRole('button', { name, exact: true }).first().click();
}

async function showCode(page) {
  await page.getByRole('button', { name: 'Link to my other device' }).click();
  await page.getByRole('button', { name: 'Show the code' }).click();
}

for (const [width, viewport] of Object.entries(WIDTHS)) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [name, screen] of Object.entries(SCREENS)) {
      test(`${name}, ${width}, ${colorScheme}`, async (t) => {
        const page = await visit(t, { viewport, colorScheme }, screen.query ?? '');
        await screen.go?.(page);
        await screen.ready(page).waitFor();
        await stillness(page);
        const shift = await page.evaluate(() => window.shifts.reduce((sum, { value }) => sum + value, 0));
        await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`) });
        assert.deepEqual(await violations(page), []);
        assert.ok(shift <= MOST_SHIFT, `layout shift ${shift}: ${JSON.stringify(await page.evaluate(() => window.shifts))}`);
      });
    }
  }
}

test('what could not be sent is kept, and what was typed meanwhile, too', async (t) => {
  const page = await visit(t, { viewport: WIDTHS.desktop }, '');
  const field = page.getByRole('textbox', { name: 'Message' });
  const long = 'so long '.repeat(700);
  await open('Book club')(page);
  await field.fill(long);
  await field.press('Enter');
  await field.fill('and more');
  await page.getByRole('alert').waitFor();
  assert.equal(await field.inputValue(), `${long}\nand more`);
  await open('Tom')(page);
  await open('Book club')(page);
  assert.equal(await field.inputValue(), `${long}\nand more`);
});

async function visit(t, options, query) {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.addInitScript(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries()) {
        window.shifts.push({ value, nodes: sources.map(({ node }) => node?.outerHTML?.slice(0, 120) ?? String(node?.nodeName)) });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  });
  await page.goto(`${server.url}/${query}`);
  return page;
}

/** Until nothing moves any more but what always does while somebody has to wait. */
function stillness(page) {
  return page.waitForFunction(
    () =>
      document.getAnimations().every(({ playState, effect }) => playState !== 'running' || effect.getTiming().iterations === Infinity) &&
      !document.querySelector('[data-at-rest="false"]'),
  );
}

async function violations(page) {
  await page.evaluate(await readFile(axe, 'utf8'));
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, {
      resultTypes: ['violations'],
      // A question over a panel: both are dialogs of Mantine's with a <header>, and the one below is inert.
      rules: { 'landmark-no-duplicate-banner': { enabled: false }, 'landmark-unique': { enabled: false } },
    }),
  );
  return violations
    .filter(({ impact }) => ['serious', 'critical', 'moderate'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 160)} ${any.map(({ message }) => message).join(' ')}`).join('\n')}`);
}
