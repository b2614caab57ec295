// Keeps the device connected: receives, sends, and does so again after whatever comes.
import { failure, transient } from './errors.js';
import { VIEWER } from './operations.js';
import { Pace, wait } from './pace.js';

/** Bounds the wait between two tries; a session that lasted longer was one worth the name. */
const LONGEST_MS = 15_000;
/** Bounds the wait before the first: a server that was restarted has lost all its sockets at one moment. */
const FIRST_MS = 1000;
/** How often prekeys and outboxes are looked after while connected. */
const TEND_MS = 60_000;

/** What ends the connection until connect is called again. */
const FOR_GOOD = { SUPERSEDED: 'superseded', DEVICE_REMOVED: 'removed', 'device-removed': 'removed', clock: 'clock' };

export class Connection {
  state = { state: 'idle' };
  /** @type {AbortController | null} */
  #on = null;
  /** The server has shown that it is one. */
  #known = false;

  /**
   * @param {object} parts core, server, registration, inbox, outbox, link, hurry
   * @param {(state: import('../index.js').Connection) => void} changed
   */
  constructor(parts, changed) {
    Object.assign(this, parts);
    this.changed = changed;
  }

  /** Connects, or does so anew where it has ended for good or waits. */
  start() {
    if (this.#on) {
      this.hurry.dispatchEvent(new Event('hurry'));
      return;
    }
    this.#on = new AbortController();
    this.#run(this.#on.signal);
  }

  stop() {
    this.#on?.abort(failure('closed'));
    this.#on = null;
    this.outbox.stop();
    this.#set({ state: 'idle' });
  }

  #set(state) {
    this.state = state;
    this.changed(state);
  }

  async #run(signal) {
    const pace = new Pace(LONGEST_MS, { first: FIRST_MS });
    while (!signal.aborted) {
      const began = performance.now();
      this.#set({ state: 'connecting' });
      const error = await this.#recovered(await this.#session(signal));
      if (signal.aborted) return;
      if (performance.now() - began > LONGEST_MS) pace.reset();
      if (!error) continue;
      if (!transient(error) && !(this.#known && error.code === 'no-server')) {
        this.#on = null;
        this.#set({ state: FOR_GOOD[error.code] ?? 'failed', reason: error.message, code: error.code });
        return;
      }
      const ms = pace.after(error);
      this.#set({ state: 'waiting', retryAt: Date.now() + ms, reason: error.message });
      await wait(ms, signal, this.hurry).catch(() => {});
    }
  }

  /** One connection, from what waits here to its end; gives what has ended it. */
  async #session(signal) {
    const ended = new AbortController();
    const end = () => ended.abort(signal.reason);
    signal.addEventListener('abort', end);
    this.outbox.onTrouble = (error) => ended.abort(error);
    const online = () => this.#online(ended.signal);
    this.link.events.addEventListener('connected', online);
    const tending = setInterval(() => this.#tend(), TEND_MS);
    try {
      await this.registration.ready();
      signal.throwIfAborted();
      await this.inbox.run(ended.signal, online);
    } catch (error) {
      return error;
    } finally {
      clearInterval(tending);
      this.link.events.removeEventListener('connected', online);
      signal.removeEventListener('abort', end);
      this.outbox.stop();
      ended.abort(failure('closed'));
    }
  }

  #online(signal) {
    if (signal.aborted || this.state.state === 'online') return;
    this.#known = true;
    this.#set({ state: 'online' });
    this.outbox.start();
  }

  #tend() {
    this.registration.ready().catch(() => {}); // the next time will do
    this.outbox.kick();
  }

  /** Does what lets the next session fare better, or gives the error back. */
  async #recovered(error) {
    try {
      if (error.code === 'overflow') return null;
      if (error.code === 'CURSOR_INVALID') return await this.#forgetCursor(error);
      if (error.code === 'UNAUTHENTICATED') return await this.#askWhy();
      return error;
    } catch (failed) {
      return failed;
    }
  }

  /** Starts at the beginning, after the server has refused the cursor. One that refuses none at all is not asked again. */
  async #forgetCursor(refused) {
    if (!(await this.core.call('cursor'))) return refused;
    await this.core.step('forgetCursor');
    return null;
  }

  /** Learns over HTTP, where the answer has a code and the server's time, why a socket's token was refused. */
  async #askWhy() {
    await this.server.authorized(VIEWER);
    return failure('offline'); // a token that HTTP takes is worth another try, in a while
  }
}
