// Prekeys: uploads what others need to start sessions with this device, and claims those of others.
import { readAccepted, readPrekeyCount, readPrekeys } from './answers.js';
import { CLAIM_PREKEYS, STANDING, UPLOAD_PREKEYS } from './operations.js';

/** How often a client that stays open looks after its prekeys and its count. */
const TEND_MS = 3600_000;

export class Prekeys {
  #tendedAt = -Infinity;
  #running = null;

  /** @param {import('./core.js').Core} core @param {import('./server.js').Server} server */
  constructor(core, server) {
    this.core = core;
    this.server = server;
  }

  /**
   * Compares what the server has of this device with what is here: after an older copy of the records was put back it gives
   * the sessions up (R3), and it uploads what is missing or due (R2). What fails is tried again next time, unless
   * the device is refused for good.
   */
  tend() {
    if (performance.now() - this.#tendedAt < TEND_MS) return Promise.resolve();
    this.#running ??= this.#tend().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** They are looked after with the next look: a server that has lost this device has lost its prekeys, too. */
  lost() {
    this.#tendedAt = -Infinity;
  }

  async #tend() {
    const standing = await this.server.authorized(STANDING);
    const accepted = readAccepted(standing);
    if (accepted !== undefined) await this.core.step('checkAccepted', { accepted });
    if (await this.core.call('takesSessions')) await this.#upload(readPrekeyCount(standing));
    this.#tendedAt = performance.now();
  }

  async #upload(held) {
    const { requests } = await this.core.step('prekeys', { held });
    for (const { type, ...input } of requests) {
      if (type === 'uploadPrekeys') await this.server.authorized(UPLOAD_PREKEYS, { input });
    }
  }

  /**
   * Asks for prekeys and starts sessions on them.
   *
   * @returns {Promise<{found: number, alarm?: object}>} of how many devices there were some, and an alarm, if they were refused
   */
  async claim({ user, devices }) {
    const sets = readPrekeys(await this.server.authorized(CLAIM_PREKEYS, { userId: user, devices }));
    const { value } = await this.core.step('claimed', { user, sets });
    return { found: sets.length, alarm: value?.alarm };
  }
}
