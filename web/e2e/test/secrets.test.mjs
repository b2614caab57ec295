// What leaves the device's memory: nothing that it drew at random to keep secret, and nothing that was written.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { Client } from '../client.mjs';
import { Server } from '../../testing/programs.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const WORDS = { text: 'the-heron-waits-at-dawn', draft: 'an-otter-in-the-reeds', name: 'Wilhelmina-the-neighbour', setting: 'Ludmilla-herself' };

/** Every way in which bytes could stand in a file or on the wire. */
function spellings(bytes) {
  const buffer = Buffer.from(bytes);
  const all = [buffer, Buffer.from(buffer.toString('hex')), Buffer.from(buffer.toString('hex').toUpperCase())];
  // Base64 depends on what stands before: all three alignments, without the characters that neighbours share.
  for (let before = 0; before < 3; before++) {
    const shifted = Buffer.concat([Buffer.alloc(before), buffer]).toString('base64');
    const inner = shifted.slice(before ? before + 1 : 0, Math.floor(shifted.replaceAll('=', '').length / 4) * 4 - 4);
    all.push(Buffer.from(inner), Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_')));
  }
  return all;
}

const spellingsOfText = (text) => [...spellings(Buffer.from(text)), Buffer.from(text, 'utf16le')];

/** Writes down what the worker draws at random: every private key and every store key begins there. */
async function tapRandom(profile) {
  const drawn = [];
  await profile.context.exposeBinding('drew', (_, hex) => drawn.push(hex));
  await profile.context.route(/worker[^/]*\.js/, async (route) => {
    const response = await route.fetch();
    const tap = `{
      const real = crypto.getRandomValues.bind(crypto);
      const channel = new BroadcastChannel('tap');
      crypto.getRandomValues = (array) => {
        real(array);
        const hex = Array.from(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), (b) => b.toString(16).padStart(2, '0')).join('');
        channel.postMessage(hex);
        return array;
      };
    }\n`;
    await route.fulfill({ response, body: tap + (await response.text()) });
  });
  await profile.context.addInitScript(() => {
    new BroadcastChannel('tap').onmessage = ({ data }) => window.drew(data);
  });
  return drawn;
}

/** All that goes over the network, in both directions. */
function tapTraffic(profile) {
  const traffic = [];
  const waiting = [];
  profile.context.on('page', (page) => {
    page.on('websocket', (socket) => {
      const note = ({ payload }) => traffic.push(Buffer.from(payload));
      socket.on('framesent', note).on('framereceived', note);
    });
  });
  profile.context.on('request', (request) => {
    traffic.push(Buffer.from(request.url() + JSON.stringify(request.headers())), request.postDataBuffer() ?? Buffer.alloc(0));
  });
  profile.context.on('response', (response) => {
    if (new URL(response.url()).pathname === '/graphql') waiting.push(response.body().catch(() => Buffer.alloc(0)));
  });
  return async () => Buffer.concat([...traffic, ...(await Promise.all(waiting))]);
}

/** All that pages of the origin can read from the disk: every record of every database, and local storage. */
const stored = (page) =>
  page.evaluate(async () => {
    const texts = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie];
    const asText = (value) => {
      if (value instanceof ArrayBuffer) value = new Uint8Array(value);
      if (ArrayBuffer.isView(value)) return Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), (b) => String.fromCharCode(b)).join('');
      if (value instanceof CryptoKey) return value.extractable ? 'EXTRACTABLE' : 'kept by the browser';
      if (value && typeof value === 'object') return Object.entries(value).flatMap(([k, v]) => [k, asText(v)]).join(' ');
      return String(value);
    };
    let records = 0;
    for (const { name } of await indexedDB.databases()) {
      const db = await new Promise((resolve, reject) => {
        const open = indexedDB.open(name);
        open.onsuccess = () => resolve(open.result);
        open.onerror = () => reject(open.error);
      });
      for (const store of db.objectStoreNames) {
        const read = (what) =>
          new Promise((resolve, reject) => {
            const request = db.transaction(store).objectStore(store)[what]();
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
        for (const entry of [...(await read('getAllKeys')), ...(await read('getAll'))]) texts.push(asText(entry));
        records += (await read('getAllKeys')).length;
      }
      db.close();
    }
    return { text: texts.join('\n'), records };
  });

test('no plaintext and no private key is in IndexedDB, local storage, traffic or the database', async (t) => {
  const server = await Server.start(t);
  const [alice, bob] = [await Client.blank(t, browser, server.url), await Client.blank(t, browser, server.url)];
  const drawn = [await tapRandom(alice.profile), await tapRandom(bob.profile)];
  const traffic = [tapTraffic(alice.profile), tapTraffic(bob.profile)];
  await Promise.all([alice.goto(), bob.goto()]);
  await alice.begin(WORDS.setting);
  await bob.begin('Bob', { passphrase: 'correct horse battery' });
  const shared = await alice.share();
  await bob.add(shared.id, WORDS.name);
  await bob.send(WORDS.text);
  await alice.list.getByRole('button', { name: new RegExp(WORDS.text) }).click();
  await alice.shows(WORDS.text);
  await alice.send(`${WORDS.text}, I know`);
  await bob.shows(`${WORDS.text}, I know`);
  await bob.composer.fill(WORDS.draft);
  await bob.list.getByText(WORDS.draft).waitFor();

  const places = {
    'the database of the server': Buffer.from(await server.dump(), 'latin1'),
    "Alice's traffic": await traffic[0](),
    "Bob's traffic": await traffic[1](),
  };
  for (const [name, client] of [['Alice', alice], ['Bob', bob]]) {
    const { text, records } = await stored(client.page);
    assert.ok(records > 20, `${name} has only ${records} records: is this the place?`);
    places[`${name}'s storage`] = Buffer.from(text, 'latin1');
  }
  // The looking itself works: what is public is found.
  for (const [where, bytes] of Object.entries(places).slice(0, 3)) {
    assert.ok(spellingsOfText(shared.id).some((spelling) => bytes.includes(spelling)), `the public id is not even in ${where}`);
  }
  for (const [where, bytes] of Object.entries(places)) {
    for (const word of [...Object.values(WORDS), 'correct horse battery']) {
      for (const spelling of spellingsOfText(word)) assert.ok(!bytes.includes(spelling), `«${word}» is in ${where}`);
    }
    assert.ok(!bytes.includes('EXTRACTABLE'), `a key that can be taken out is in ${where}`);
  }
  // Private keys, session keys, seeds and store keys are 32 or 64 bytes of what was drawn; nonces and ids are shorter.
  const secrets = drawn.flat().filter((hex) => hex.length === 64 || hex.length === 128);
  assert.ok(secrets.length > 100, `only ${secrets.length} secrets were seen: is the tap at the right place?`);
  for (const hex of secrets) {
    const halves = hex.length === 128 ? [hex.slice(0, 64), hex.slice(64)] : [hex];
    for (const spelling of halves.flatMap((half) => spellings(Buffer.from(half, 'hex')))) {
      for (const [where, bytes] of Object.entries(places)) assert.ok(!bytes.includes(spelling), `a secret is in ${where}`);
    }
  }
});
