// Takes envelopes in: one at a time, in order, committed before anything is shown, then acknowledged.
import { failure, LetterlockError, transient } from './errors.js';
import { ACKNOWLEDGE_MESSAGES } from './operations.js';
import { patiently } from './pace.js';

/** Bounds the server's cursors, and how many envelopes wait here to be taken in. */
const MAX_CURSOR = 1024;
const MAX_AHEAD = 512;

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
   * @param {() => void} arrived called for each envelope before it is taken in
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
        const envelope = await queue.next();
        arrived();
        await this.#take(envelope, signal);
      }
    } finally {
      signal.removeEventListener('abort', aborted);
      stop();
    }
  }

  /** Makes records of an envelope. After an error it comes again. */
  async #take({ __typename: _, ...envelope }, signal) {
    if (!envelope.cursor || envelope.cursor.length > MAX_CURSOR) {
      throw new LetterlockError('no-server', 'the server’s answer has no cursor that can be kept');
    }
    const asked = [];
    for (;;) {
      signal.throwIfAborted();
      const { requests } = await this.core.step('receive', { envelope, asked });
      const fetches = requests.filter(({ type }) => type === 'fetchUser');
      for (const { user, since } of fetches) {
        await patiently(() => this.chains.fetch(user, since), { signal, hurry: this.hurry });
        asked.push(user);
      }
      if (fetches.length === 0) break;
    }
    this.acks.upTo(envelope.cursor); // it is durable here, and its notice waits among the records
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

  async next() {
    while (this.#items.length === 0) {
      if (this.#error) throw this.#error;
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#items.shift();
  }
}

/** Tells the server how far the records have come: the last position alone, as fast as it answers. */
class Acknowledger {
  #cursor = '';
  #running = null;

  constructor(server) {
    this.server = server;
  }

  upTo(cursor) {
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
      } catch (error) {
        // What is not acknowledged comes again, and is dropped then; the next envelope or session tries anew.
        if (transient(error)) return;
      }
    }
  }
}
