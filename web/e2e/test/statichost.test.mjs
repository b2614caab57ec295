// The same build on another host than the server's, under the very headers that docs/operating.md tells its reader to send.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { Client } from '../client.mjs';
import { atEnd, Person, Server } from '../../testing/programs.mjs';

const root = new URL('../../../', import.meta.url);
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm' };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** The headers of the page that describes it, for this server. */
async function documented(server) {
  const text = await readFile(new URL('docs/operating.md', root), 'utf8');
  const [, block] = text.match(/```\n(Content-Security-Policy: [^`]+)```/);
  const { host } = new URL(server);
  const here = block.replaceAll('https://chat.example.org', server).replaceAll('wss://chat.example.org', `ws://${host}`);
  return here.trim().split('\n').map((line) => line.split(/: (.*)/, 2));
}

/** A host that knows nothing but files. `server` is what its index.html names. */
class StaticHost {
  static async start(t) {
    const host = new StaticHost();
    const http = createServer((request, response) => host.#answer(request, response));
    await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
    atEnd(t, () => {
      http.closeAllConnections();
      return new Promise((resolve) => http.close(resolve));
    });
    host.url = `http://127.0.0.1:${http.address().port}`;
    return host;
  }

  async #answer(request, response) {
    const path = new URL(request.url, this.url).pathname;
    const name = path === '/' ? 'index.html' : path.slice(1);
    try {
      let body = await readFile(new URL(`web/app/dist/${name}`, root));
      if (name === 'index.html') {
        body = body.toString().replace('name="letterlock-server" content=""', `name="letterlock-server" content="${this.server}"`);
      }
      for (const [header, value] of await documented(this.server)) response.setHeader(header, value);
      response.setHeader('Content-Type', TYPES[extname(name)] ?? 'application/octet-stream').end(body);
    } catch {
      response.writeHead(404).end();
    }
  }
}

test('the client on a static host talks to a server that allows its origin', async (t) => {
  const host = await StaticHost.start(t);
  const settings = { LETTERLOCK_ALLOWED_ORIGINS: host.url };
  const server = await Server.start(t, settings);
  // A server that goes by a public URL is not open to every page of this machine.
  await server.stop();
  settings.LETTERLOCK_PUBLIC_URL = server.url;
  await server.start();
  host.server = server.url;

  const bob = await Person.arrive(t, server.url, { boxes: false });
  const alice = await Client.open(t, browser, host.url);
  const { host: address } = new URL(server.url);
  alice.profile.expected = new RegExp(`^(request to http|websocket to ws)://${address}/graphql$`);
  await alice.begin('Alice');
  const { link, id } = await alice.share();
  assert.ok(link.startsWith(`${host.url}/#add=${id}`), link);
  await alice.online();
  await bob.letter('send', id, 'to another host');
  await alice.list.getByRole('button', { name: /to another host/ }).click();
  await alice.shows('to another host');
  assert.ok(alice.profile.complaints.length > 0, 'nothing was asked of the server: this looks at the wrong place');
});
