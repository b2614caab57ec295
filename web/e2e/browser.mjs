// A browser for tests: what the browser complains about fails the test that caused it.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { atEnd, PATIENCE_MS } from '../testing/programs.mjs';

/** Where screenshots go. */
export const artifacts = fileURLToPath(new URL('../../artifacts/', import.meta.url));

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @param {string[]} more arguments @returns {Promise<import('playwright-core').Browser>} */
export async function launch(more = []) {
  await mkdir(artifacts, { recursive: true });
  return chromium.launch({ executablePath: process.env.CHROMIUM_BIN || '/usr/bin/chromium', args: [...ARGS, ...more] });
}

/**
 * A profile of its own: what is stored in one is not seen by another. At the end of the test it fails for whatever a page of it
 * complained about, unless `expected` fits: errors, warnings, refused content, and requests to anybody but the server.
 */
export class Profile {
  /** @type {RegExp | undefined} complaints that belong to the test */
  expected;
  complaints = [];

  /** @param {import('node:test').TestContext} t @param {import('playwright-core').Browser} browser */
  static async open(t, browser, server, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const profile = new Profile(context, server);
    await profile.#listen();
    atEnd(t, async () => {
      if (t.passed === false) await profile.#show(t.name);
      await context.close();
      assert.deepEqual(profile.complaints.filter((complaint) => !profile.expected?.test(complaint)), []);
    });
    return profile;
  }

  constructor(context, server) {
    this.context = context;
    this.server = server;
  }

  async page() {
    const page = await this.context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    return page;
  }

  /** What was on the screen when a test failed. */
  async #show(name) {
    for (const [i, page] of this.context.pages().entries()) {
      await page.screenshot({ path: `${artifacts}failed-${name.replaceAll(/\W+/g, '-').slice(0, 60)}-${this.context.pages().length}-${i}-${Math.random().toString(36).slice(2, 6)}.png` }).catch(() => {});
    }
  }

  async #listen() {
    const complain = (text) => this.complaints.push(text);
    const { host } = new URL(this.server);
    this.context.on('page', (page) => {
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complain(message.text());
      });
      page.on('pageerror', (error) => complain(error.stack));
      page.on('websocket', (made) => {
        if (new URL(made.url()).host !== host) complain(`websocket to ${made.url()}`);
      });
    });
    this.context.on('request', (made) => {
      const { host: asked, protocol } = new URL(made.url());
      if (!['data:', 'blob:'].includes(protocol) && asked !== host) complain(`request to ${made.url()}`);
    });
    await this.context.exposeFunction('complain', complain);
    await this.context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        window.complain(`${event.violatedDirective} refused ${event.blockedURI} of ${event.sourceFile}`);
      });
    });
  }
}
