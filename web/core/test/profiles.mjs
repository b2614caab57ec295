// Devices in this process, over fake-indexeddb, and what a server would carry between them.
import 'fake-indexeddb/auto';
import '../dist/wasm_exec.js';
import { readFileSync } from 'node:fs';
import { DeviceHost } from '../src/devicehost.js';

const program = new WebAssembly.Module(readFileSync(new URL('../dist/core.wasm', import.meta.url)));

/** Opens a profile as the worker does. */
export async function open(profile) {
  const host = new DeviceHost(async () => program);
  const status = await host.handle('open', { profile, server: 'http://localhost:8080', wasm: '' });
  return { call: (method, params) => host.handle(method, params), status };
}

/** A profile with an identity, and what the server knows of it. */
export async function person(profile, passphrase) {
  const device = await open(profile);
  const { value: self } = await device.call('create', { passphrase });
  const { requests } = await device.call('register', {});
  await device.call('registered', { known: true });
  const upload = await device.call('prekeys', { held: { oneTime: 0, kemOneTime: 0 } });
  return { ...device, self, deviceList: requests[0].deviceList, prekeys: upload.requests[0] };
}

const listOf = (of) => ({ known: true, listVersion: 1, statements: [of.deviceList] });

/** Does what nextSend asks for until it asks to send; gives that request. */
export async function seal(from, to) {
  const claimed = [];
  for (;;) {
    const { requests } = await from.call('nextSend', { peer: to.self.user, claimed });
    for (const request of requests) {
      if (request.type === 'sendMessage') {
        return request;
      }
      if (request.type === 'fetchUser') {
        await from.call('fetched', { user: to.self.user, answer: listOf(to) });
      } else {
        const { signed, oneTime, kemOneTime } = to.prekeys;
        const set = { deviceId: to.self.device, signed, oneTime: oneTime.shift(), kem: kemOneTime.shift() };
        await from.call('claimed', { user: to.self.user, sets: [set] });
        claimed.push(to.self.user);
      }
    }
  }
}

let carried = 0;

/** The envelope that a sealed message becomes for its recipient. */
export function enveloped(from, { input }) {
  carried++;
  const { deviceId: _, ...sealed } = input.recipients[0].envelopes[0];
  return {
    ...sealed, id: `${carried}`, cursor: `c${carried}`, messageId: input.messageId,
    senderUserId: from.self.user, senderDeviceId: from.self.device,
  };
}

/** Tells the sender that the server has taken a message. */
export const taken = (from, { token }) => from.call('accepted', { token, receipt: { acceptedAt: Date.now(), full: [] } });

/** Hands a sealed message over; gives the step of the one who opened it. */
export async function deliver(from, to, request) {
  const step = await receive(from, to, [enveloped(from, request)]);
  await taken(from, request);
  return step;
}

/** Takes envelopes in, with the sender's lists if they are asked for. */
export async function receive(from, to, envelopes) {
  const step = await to.call('receive', { envelopes, asked: [] });
  if (!step.requests.some((request) => request.type === 'fetchUser')) {
    return step;
  }
  await to.call('fetched', { user: from.self.user, answer: listOf(from) });
  return to.call('receive', { envelopes, asked: [from.self.user] });
}

/** Every value that a database holds, as stored. */
export async function stored(profile) {
  const db = await new Promise((resolve, reject) => {
    const request = indexedDB.open(`letterlock-${profile}`);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const found = [];
  for (const name of db.objectStoreNames) {
    const store = db.transaction(name).objectStore(name);
    for (const request of [store.getAllKeys(), store.getAll()]) {
      found.push(...(await new Promise((resolve) => (request.onsuccess = () => resolve(request.result)))));
    }
  }
  db.close();
  return found;
}
