// Device lists of users: fetched, and verified by the device.
import { readUser } from './answers.js';
import { alarmed, failure, LetterlockError } from './errors.js';
import { FETCH_USER } from './operations.js';

/** Bounds how often one answer may say that there is more: a hundred versions come at a time. */
const MAX_FETCHES = 64;

export class Chains {
  /** @param {import('./core.js').Core} core @param {import('./server.js').Server} server */
  constructor(core, server) {
    this.core = core;
    this.server = server;
  }

  /**
   * Fetches a user's lists and keeps what is new and holds. Fails only if there is no answer.
   *
   * @param {string} user
   * @param {number} [since]
   * @returns {Promise<{known: boolean, alarm?: object}>}
   */
  async fetch(user, since = 0) {
    let request = { user, since };
    for (let i = 0; i < MAX_FETCHES; i++) {
      const answer = await this.#ask(request);
      const { value, requests } = await this.core.step('fetched', { user: request.user, answer });
      const next = requests.find(({ type }) => type === 'fetchUser');
      if (!next) return { known: answer.known, alarm: value?.alarm };
      request = next;
    }
    throw new LetterlockError('no-server', 'the server shows a device list without end');
  }

  async #ask({ user, since }) {
    return { since, ...readUser(await this.server.anonymous(FETCH_USER, { id: user, sinceVersion: since })) };
  }

  /** Fetches a user who must be there. */
  async learn(user) {
    const { known, alarm } = await this.fetch(user);
    if (alarm) throw alarmed();
    if (!known) throw failure('user-unknown');
  }

  /** Fetches what is new of one's own lists. */
  async fetchOwn() {
    const [{ user }, held] = await Promise.all([this.core.call('self'), this.core.call('listVersion')]);
    const { alarm } = await this.fetch(user, held);
    if (alarm) throw alarmed();
  }
}
