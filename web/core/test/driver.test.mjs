// The driver in a real browser, with the real worker and the real server: what people meet.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { freePort } from '../../testing/ports.mjs';
import { atEnd, PATIENCE_MS, temporaryDirectory, within } from '../../testing/programs.mjs';
import { newProfile, servePage, startBrowser } from './pages.mjs';

const LETTERLOCK = process.env.LETTERLOCK_BIN || fileURLToPath(new URL('../../../bin/letterlock', import.meta.url));
/** What a browser says by itself when a server is away. */
const NETWORK = /WebSocket connection|Failed to load resource|ERR_/;

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

const files = {
  'index.html': '<!doctype html><html lang="en"><title>Driver</title><script type="module" src="./main.js"></script></html>',
  'main.js': `
    import { ApolloClient, InMemoryCache } from '@apollo/client';
    import { open } from '@letterlock/core';
    window.notices = [];
    let happened = () => {};
    // The next event, or a moment: a test looks again then.
    window.happens = () => new Promise((resolve) => {
      happened = resolve;
      setTimeout(resolve, 200);
    });
    window.start = async (options = {}) => {
      const core = await open({ server: window.name || undefined, ...options });
      core.on('notice', (notice) => window.notices.push(notice));
      for (const event of ['change', 'notice', 'status']) core.on(event, () => happened());
      core.connect(new ApolloClient({ link: core.link(), cache: new InMemoryCache() }));
      window.core = core;
      return core.status();
    };
    window.loaded = true;
  `,
};

/** A world: a server, a page on the core. */
async function world(t) {
  const server = await Server.start(t);
  const url = await servePage(t, server.url, files);
  return { t, server, url, arrive: () => Tab.arrive(t, url, server.url), };
}

class Server {
  static async start(t) {
    const server = new Server();
    server.port = await freePort();
    server.url = `http://localhost:${server.port}`;
    server.dir = await temporaryDirectory(t);
    await server.start();
    atEnd(t, () => server.stop());
    return server;
  }

  async start() {
    const env = { PATH: process.env.PATH, LETTERLOCK_ADDR: `127.0.0.1:${this.port}`, LETTERLOCK_DATA_DIR: this.dir };
    this.child = spawn(LETTERLOCK, [], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const serving = new Promise((resolve) => {
      for (const stream of [this.child.stdout, this.child.stderr]) {
        stream.on('data', (text) => String(text).includes('msg=serving') && resolve());
      }
    });
    await within(serving, () => 'the server');
  }

  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    await ended;
  }
}

/** A tab of somebody's browser. */
class Tab {
  static async arrive(t, url, server) {
    const context = await newProfile(t, browser, { expected: NETWORK });
    const tab = await new Tab(context, url, server).open();
    await tab.run(() => window.core.create());
    tab.id = (await tab.run(() => window.core.self())).user;
    return tab;
  }

  constructor(context, url, server) {
    Object.assign(this, { context, url, server });
  }

  async open() {
    this.page = await this.context.newPage();
    await this.page.goto(this.url);
    return this.start();
  }

  async start() {
    await this.page.waitForFunction(() => window.loaded);
    this.status = await this.run((server) => window.start({ server }), this.server);
    return this;
  }

  async reload() {
    await this.page.reload();
    return this.start();
  }

  another() {
    const tab = new Tab(this.context, this.url, this.server);
    tab.id = this.id;
    return tab.open();
  }

  run(does, argument) {
    return this.page.evaluate(does, argument);
  }

  /** Waits until the function, which may be asynchronous, gives something, and gives that. */
  until(holds, argument) {
    const look = async () => {
      for (;;) {
        const found = await this.run(holds, argument);
        if (found) return found;
        await this.run(() => window.happens());
      }
    };
    return within(look(), () => String(holds));
  }

  send(to, ...texts) {
    return this.run(
      async ([peer, texts]) => {
        for (const text of texts) await window.core.send(peer, text);
      },
      [to.id, texts],
    );
  }

  /** The texts of a conversation once there are so many of them. */
  async texts(peer, count) {
    await this.until(
      async ([peer, count]) => (await window.core.history(peer, 0, 500)).length >= count,
      [peer.id, count],
    );
    return this.run(async (peer) => (await window.core.history(peer, 0, 500)).map(({ text }) => text), peer.id);
  }

  /** Waits until nothing is queued for a peer. */
  sent(peer) {
    return this.until(
      async (peer) => (await window.core.history(peer, 0, 500)).every(({ state }) => state !== 'queued'),
      peer.id,
    );
  }

  online() {
    return this.until(() => window.core.status().connection.state === 'online');
  }
}

test('two people talk, through reloads, offline and a server that starts again', async (t) => {
  const { server, arrive } = await world(t);
  const [alice, bob] = await Promise.all([arrive(), arrive()]);
  await bob.run((user) => window.core.addContact('Alice', user), alice.id); // only contacts get receipts
  await alice.send(bob, 'one');
  assert.deepEqual(await bob.texts(alice, 1), ['one']);
  await bob.send(alice, 'two');
  assert.deepEqual(await alice.texts(bob, 2), ['one', 'two']);
  await alice.until(async (peer) => (await window.core.history(peer))[0].deliveredAt > 0, bob.id);

  await bob.reload();
  assert.equal(bob.status.phase, 'ready');
  assert.deepEqual(await bob.texts(alice, 2), ['one', 'two']);

  await alice.context.setOffline(true);
  await alice.send(bob, 'three', 'four');
  await bob.online();
  await bob.send(alice, 'five');
  await alice.context.setOffline(false);
  assert.deepEqual((await bob.texts(alice, 5)).sort(), ['five', 'four', 'one', 'three', 'two']);
  await alice.texts(bob, 5);

  await server.stop('SIGKILL');
  await alice.send(bob, 'six', 'seven');
  await server.start();
  assert.deepEqual((await bob.texts(alice, 7)).slice(-2), ['six', 'seven']);
  await alice.sent(bob);
  // Each came once, and was told of once.
  const told = await bob.run(() => window.notices.map(({ message }) => message?.text));
  assert.deepEqual(told, ['three', 'four', 'six', 'seven']);
});

test('a second tab follows, does what it is asked once, and takes over', async (t) => {
  const { arrive } = await world(t);
  const [alice, bob] = await Promise.all([arrive(), arrive()]);
  const second = await alice.another();
  assert.deepEqual([second.status.phase, second.status.leads], ['ready', false]);
  await second.send(bob, 'from the second tab');
  await bob.texts(alice, 1);
  await bob.send(alice, 'to both');
  for (const tab of [alice, second]) {
    await tab.until(() => window.notices.some(({ message }) => message?.text === 'to both'));
  }
  await alice.page.close();
  await second.until(() => window.core.status().leads);
  await second.send(bob, 'from the one that is left');
  assert.deepEqual(await bob.texts(alice, 3), ['from the second tab', 'to both', 'from the one that is left']);
});

test('a call whose leader goes is done by the next one, once', async (t) => {
  const { arrive } = await world(t);
  const [alice, bob] = await Promise.all([arrive(), arrive()]);
  const second = await alice.another();
  const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);
  const sending = second.run(
    ([peer, texts]) => Promise.all(texts.map((text) => window.core.send(peer, text))).then((sent) => sent.length),
    [bob.id, texts],
  );
  await alice.page.close();
  assert.equal(await sending, texts.length);
  assert.deepEqual((await bob.texts(alice, 20)).toSorted(), texts.toSorted());
  await second.sent(bob);
  assert.equal((await second.texts(bob, 20)).length, 20);
});

test('300 messages that have waited come in swiftly, in order', async (t) => {
  const { arrive } = await world(t);
  const [alice, bob] = await Promise.all([arrive(), arrive()]);
  await Promise.all([alice.online(), bob.online()]);
  await bob.page.close();
  const texts = Array.from({ length: 300 }, (_, i) => `text ${i}`);
  await alice.send(bob, ...texts);
  await alice.sent(bob);
  const back = new Tab(bob.context, bob.url, bob.server);
  const began = performance.now();
  await back.open();
  await back.until((count) => window.notices.length === count, texts.length);
  t.diagnostic(`300 messages in ${Math.round(performance.now() - began)} ms from the page’s start`);
  const told = await back.run(() => window.notices.map(({ message }) => message.text));
  assert.deepEqual(told, texts);
});

test('a second browser is linked, gets what comes, and is unlinked again', async (t) => {
  const { arrive, url, server } = await world(t);
  const [alice, bob] = await Promise.all([arrive(), arrive()]);
  const phone = await new Tab(await newProfile(t, browser, { expected: NETWORK }), url, server.url).open();
  const joined = phone.run(() =>
    window.core.join({
      show: (code) => {
        window.code = code;
      },
      confirm: async ({ user }) => {
        window.asked = user;
        return true;
      },
    }),
  );
  const code = await phone.until(() => window.code);
  await alice.run((code) => window.core.linkDevice(code, { confirm: async () => true }), code);
  const self = await joined;
  assert.deepEqual([self.user, self.manages], [alice.id, false]);
  assert.equal(await phone.run(() => window.asked), alice.id);
  await phone.online();
  await bob.send(alice, 'to all your devices');
  await phone.texts(bob, 1);
  assert.equal((await alice.run(() => window.core.devices())).length, 2);
  await alice.run((device) => window.core.unlink(device), self.device);
  await phone.until(() => window.core.status().connection.state === 'removed');
});

test('the server shows what it has of somebody, to a tab that follows too, and forgets them when told', async (t) => {
  const { arrive } = await world(t);
  const [alice, bob] = await Promise.all([arrive(), arrive()]);
  await Promise.all([alice.online(), bob.online()]);
  const second = await alice.another();
  const held = await second.run(() => window.core.exportUser());
  assert.equal(held.exportUser.userId, alice.id);
  assert.deepEqual([held.exportUser.devices.length, held.exportUser.deviceLists.length, held.mailbox], [1, 1, []]);
  assert.ok(!JSON.stringify(held).includes('__typename'));

  await second.run(() => window.core.deleteUser());
  await alice.until(() => window.core.status().connection.state === 'removed');
  await second.run(() => window.core.deleteUser()); // the same again
  assert.equal(await alice.run(() => window.core.exportUser().catch(({ code }) => code)), 'DEVICE_REMOVED');
  assert.equal((await alice.run(() => window.core.self())).user, alice.id);
  await bob.send(alice, 'are you there?');
  await bob.until(async (peer) => (await window.core.history(peer))[0].failure === 'recipient-unknown', alice.id);
});

test('signing out erases, in all tabs', async (t) => {
  const { arrive } = await world(t);
  const alice = await arrive();
  const second = await alice.another();
  await second.run(() => window.core.signOut());
  for (const tab of [alice, second]) {
    await tab.until(() => window.core.status().phase === 'closed');
    await assert.rejects(tab.run(() => window.core.self()), /closed/);
  }
  assert.deepEqual(await second.run(async () => (await indexedDB.databases()).map(({ name }) => name)), []);
  await second.reload();
  assert.equal(second.status.phase, 'empty');
});

test('a passphrase locks the next start, in whichever tab', async (t) => {
  const { arrive } = await world(t);
  const alice = await arrive();
  await alice.run(() => window.core.changePassphrase('correct horse'));
  const second = await alice.another();
  await alice.page.close();
  await second.until(() => window.core.status().leads);
  assert.equal(await second.run(() => window.core.status().phase), 'locked');
  const code = await second.run(() => window.core.unlock('wrong').catch((error) => error.code));
  assert.equal(code, 'passphrase-wrong');
  await second.run(() => window.core.unlock('correct horse'));
  await second.online();
});
