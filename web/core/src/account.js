// What a user may ask of the server about themselves: what it holds of them, and to forget them.
import { readExport, readMailbox } from './answers.js';
import { failure, LetterlockError } from './errors.js';
import { DELETE_USER, EXPORT_MAILBOX, EXPORT_USER } from './operations.js';
import { patiently } from './pace.js';

/** Bounds how often one call signs a deletion anew because another device has changed the list. */
const MAX_RESIGNS = 5;
/** Bounds how often an answer may say that there is more; each brings a hundred lists, devices or envelopes. */
const MAX_PAGES = 4096;

export class Account {
  /** @param {object} parts core, server, chains, registration, hurry */
  constructor(parts) {
    Object.assign(this, parts);
  }

  /** Has the server forget the user with all devices, for good. Doing it again changes nothing. */
  async delete() {
    this.#needServer();
    for (let tries = 0; tries < MAX_RESIGNS; tries++) {
      const { deletion } = await this.core.call('signDeletion');
      try {
        await this.#ask(DELETE_USER, { deletion });
        return;
      } catch (error) {
        if (error.code !== 'LIST_CONFLICT') throw error;
      }
      await this.#patiently(() => this.chains.fetchOwn());
    }
    throw new LetterlockError('list-restless', 'another device changes the list all the time; try again');
  }

  /** What the server holds of the user, and what waits there for this device, sealed as it lies there. */
  async export() {
    this.#needServer();
    await this.#patiently(() => this.registration.ready());
    return { exportUser: await this.#user(), mailbox: await this.#mailbox() };
  }

  async #user() {
    const whole = { deviceLists: [], devices: [] };
    const variables = { listsAfter: 0, devicesAfter: null };
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const { hasMore, deviceLists, devices, user } = readExport(await this.#ask(EXPORT_USER, variables));
      Object.assign(whole, user);
      whole.deviceLists.push(...deviceLists);
      whole.devices.push(...devices);
      if (!hasMore) return plainly(whole);
      if (deviceLists.length + devices.length === 0) break; // more without anything
      variables.listsAfter = deviceLists.at(-1)?.version ?? variables.listsAfter;
      variables.devicesAfter = devices.at(-1)?.id ?? variables.devicesAfter;
    }
    throw failure('no-server');
  }

  async #mailbox() {
    const whole = [];
    let after = null;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const { nodes, hasMore } = readMailbox(await this.#ask(EXPORT_MAILBOX, { after }));
      whole.push(...nodes);
      if (!hasMore) return plainly(whole);
      if (nodes.length === 0) break;
      after = nodes.at(-1).cursor;
    }
    throw failure('no-server');
  }

  #needServer() {
    if (!this.server.client) throw failure('offline');
  }

  #ask(document, variables) {
    return this.#patiently(() => this.server.authorized(document, variables));
  }

  #patiently(attempt) {
    return patiently(attempt, { hurry: this.hurry });
  }
}

/** Without the names of types, which Apollo Client asks for. */
function plainly(value) {
  return JSON.parse(JSON.stringify(value, (name, inner) => (name === '__typename' ? undefined : inner)));
}
