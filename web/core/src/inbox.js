// Takes envelopes in: in order, those that have come together with one commit, committed before anything is shown, then acknowledged.
import { readEnvelope } from './answers.js';
import { failure, transient } from './errors.js';
import { ACKNOWLEDGE_MESSAGES } from './operations.js';
import { patiently } from './pace.js';

/** Bounds how many envelopes wait here to be taken in. */
const MAX_AHEAD = 512;
/** How many one commit takes. */
const MAX_TOGETHER = 64;

export class Inbox {
  /** @param {{core: object, server: object, chains: object, hurry: EventTarget}} parts */
  constructor(parts) {
    Object.assign(this, parts);
    this.acks = new Acknowledger(parts.server);
  }

  /**
   * Receives until the subscription ends, which it always does with an error. `overflow` is no trouble: more came than
   * could be taken in at once, and the next subscription goes on behind it.
   *
   * @param {AbortSignal} signal
   * @param {() => void} arrived called when envelopes have come, before they are taken in
   */
  async run(signal, arrived) {
    const after = await this.core.call('cursor');
    if (after) this.acks.upTo(after); // the last acknowledgement may have got lost
    const queue = new Queue();
    const aborted = () => queue.end(signal.reason ?? failure('closed'));
    const stop = this.server.subscribe(after, {
      next: (envelope) => {
        if (!queue.push(envelope)) stop();
      },
      error: (error) => queue.end(error),
    });
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    try {
      for (;;) {
        const envelopes = await queue.next();
        arrived();
        await this.#take(envelopes, signal);
      }
    } finally {
      signal.removeEventListener('abort', aborted);
      stop();
    }
  }

  /** Makes records of envelopes. After an error those that have none come again. */
  async #take(envelopes, signal) {
    let asked = [];
    while (envelopes.length > 0) {
      signal.throwIfAborted();
      const { value: taken, requests } = await this.core.step('receive', { envelopes, asked });
      if (taken > 0) {
        this.acks.upTo(envelopes[taken - 1].cursor); // it is durable here, and its notice waits among the records
        envelopes = envelopes.slice(taken);
        asked = [];
        continue;
      }
      for (const { user, since } of requests.filter(({ type }) => type === 'fetchUser')) {
        await patiently(() => this.chains.fetch(user, since), { signal, hurry: this.hurry });
        asked.push(user);
      }
    }
  }
}

/** Envelopes that have come and were not taken in yet, bounded. */
class Queue {
  #items = [];
  #error = null;
  #wake = null;

  push(item) {
    if (this.#error) return false;
    this.#items.push(item);
    if (this.#items.length >= MAX_AHEAD) this.#error = failure('overflow');
    this.#wake?.();
    return !this.#error;
  }

  end(error) {
    this.#error ??= error;
    this.#wake?.();
  }

  /** All that have come, up to what one commit takes; waits for one. */
  async next() {
    while (this.#items.length === 0) {
      if (this.#error) throw this.#error;
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#items.splice(0, MAX_TOGETHER).map(readEnvelope);
  }
}

/** Tells the server how far the records have come: the last position alone, as fast as it answers. */
class Acknowledger {
  #cursor = '';
  #done = ''; // the last that the server has confirmed
  #running = null;

  constructor(server) {
    this.server = server;
  }

  /** What the server has confirmed is not said again: each device would that comes back after a restart, all at once. */
  upTo(cursor) {
    if (cursor === this.#done) return;
    this.#cursor = cursor;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run() {
    while (this.#cursor) {
      const upTo = this.#cursor;
      this.#cursor = '';
      try {
        await this.server.authorized(ACKNOWLEDGE_MESSAGES, { upTo });
        this.#done = upTo;
      } catch (error) {
        // What is not acknowledged comes again, and is dropped then; the next envelope or session tries anew.
        if (transient(error)) return;
      }
    }
  }
}
