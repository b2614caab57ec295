// Pages on the core in a real browser: built by Vite, served under a strict Content-Security-Policy.
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { atEnd, PATIENCE_MS } from '../../testing/programs.mjs';

const core = fileURLToPath(new URL('..', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Builds a page of these files, main.js among them, and serves it. Gives its URL. */
export async function servePage(t, server, files, port = 0) {
  const root = await mkdtemp(join(core, 'node_modules', '.test-'));
  atEnd(t, () => rm(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { '@letterlock/core': join(core, 'src/index.js') } },
    worker: { format: 'es' },
    build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  });
  return serve(t, join(root, 'dist'), policy(server), port);
}

const policy = (server) =>
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; base-uri 'none'; form-action 'none'; " +
  `connect-src 'self' ${server} ${server.replace(/^http/, 'ws')}`;

async function serve(t, root, csp, port) {
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const file = join(root, pathname === '/' ? 'index.html' : pathname);
    const found = await stat(file).catch(() => null);
    if (!found?.isFile()) return response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': csp,
      'cache-control': 'max-age=3600',
    });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  atEnd(t, () => new Promise((resolve) => server.close(resolve)));
  atEnd(t, () => server.closeAllConnections());
  return `http://127.0.0.1:${server.address().port}/`;
}

export async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_BIN || '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
}

/** A browser profile of its own, like another person's. What a page complains about fails the test, unless it is expected. */
export async function newProfile(t, browser, { expected } = {}) {
  const context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  atEnd(t, async () => {
    await context.close();
    const unexpected = complaints.filter((text) => !expected?.test(text));
    if (unexpected.length > 0) throw new Error(`the page complained: ${unexpected.join('\n')}`);
  });
  return context;
}
