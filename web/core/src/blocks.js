// Tells the server from whom this device takes nothing.
import { SET_BLOCKED_USERS } from './operations.js';

export class Blocks {
  /** @param {import('./core.js').Core} core @param {import('./server.js').Server} server */
  constructor(core, server) {
    this.core = core;
    this.server = server;
  }

  /** Tells it if it does not know. One try; the device keeps to its list in any case. */
  async tell() {
    const set = await this.core.call('blocksToSet');
    if (!set) return;
    await this.server.authorized(SET_BLOCKED_USERS, { users: set.users });
    await this.core.step('blockedSet', { version: set.version });
  }
}
