// Makes the device known to the server, once for each server.
import { REGISTER_KEY } from './operations.js';

/** The setting with the operator's invite, until it is used. */
export const INVITE = 'invite';

/** What is in the way of everything, not of prekeys alone. */
const GRAVE = new Set(['offline', 'no-server', 'UNAUTHENTICATED', 'DEVICE_REMOVED', 'device-removed', 'clock', 'closed', 'crashed']);

export class Registration {
  #running = null;

  /** @param {import('./core.js').Core} core @param {import('./server.js').Server} server @param {import('./prekeys.js').Prekeys} prekeys @param {import('./blocks.js').Blocks} blocks */
  constructor(core, server, prekeys, blocks) {
    this.core = core;
    this.server = server;
    this.prekeys = prekeys;
    this.blocks = blocks;
    // Within a request that was refused: without another look at why.
    server.registerAgain = () => this.#register((variables) => server.once(REGISTER_KEY, variables));
  }

  /** Registers if that was not done yet, and looks after the prekeys. One try. */
  async ready() {
    await this.#run((variables) => this.server.authorized(REGISTER_KEY, variables));
    for (const tend of [() => this.prekeys.tend(), () => this.blocks.tell()]) {
      await tend().catch((error) => {
        if (GRAVE.has(error.code)) throw error; // anything else is tried again next time: receiving goes on without
      });
    }
  }

  #run(send) {
    this.#running ??= this.#register(send).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #register(send) {
    const { requests } = await this.core.step('register');
    for (const { type, userKey, deviceList } of requests) {
      if (type !== 'register') continue;
      const invite = await this.core.call('getSetting', { name: INVITE });
      await send({ input: { userKey, deviceList, ...(invite && { invite }) } });
      await this.core.step('registered', { known: true });
      this.prekeys.lost();
      if (invite) await this.core.step('setSetting', { name: INVITE, value: null });
    }
  }
}
