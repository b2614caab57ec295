// How long to wait between tries.
import { failure, transient } from './errors.js';

/** Bounds the wait after the first failure of a request. */
const FIRST_MS = 100;

/** Exponentially longer, at random below that (full jitter): clients of a lost server do not come back all at once. */
export class Pace {
  #next;

  /**
   * @param {number} longest milliseconds
   * @param {object} [options]
   * @param {number} [options.first] bounds the first wait, in milliseconds
   * @param {() => number} [options.random] from 0 up to 1
   */
  constructor(longest, { first = FIRST_MS, random = Math.random } = {}) {
    this.longest = longest;
    this.first = first;
    this.random = random;
    this.reset();
  }

  reset() {
    this.#next = this.first;
  }

  /**
   * The wait after this failure. A server that asks for a wait gets it, and up to half of that more at random: those whom it refused
   * together do not come together again.
   */
  after(error) {
    const drawn = this.random();
    const wait = drawn * this.#next;
    this.#next = Math.min(this.longest, this.#next * 2);
    return error?.retryAfter > wait ? error.retryAfter * (1 + drawn / 2) : wait;
  }
}

/**
 * Waits, or less if `signal` aborts or `hurry` fires; fails if it aborts.
 *
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @param {EventTarget} [hurry] whose `hurry` event ends the wait
 */
export function wait(ms, signal, hurry) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      hurry?.removeEventListener('hurry', end);
      if (signal?.aborted) reject(signal.reason ?? failure('closed'));
      else resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
    hurry?.addEventListener('hurry', end);
    if (signal?.aborted) end();
  });
}

/**
 * Tries until it succeeds, fails in a way that trying again can't help, or patience has run out.
 *
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {object} [options]
 * @param {number} [options.patience] milliseconds
 * @param {AbortSignal} [options.signal]
 * @param {EventTarget} [options.hurry]
 * @returns {Promise<T>}
 */
export async function patiently(attempt, { patience = 10_000, signal, hurry } = {}) {
  const pace = new Pace(3000);
  const started = performance.now();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const ms = pace.after(error);
      if (!transient(error) || performance.now() - started + ms > patience) throw error;
      await wait(ms, signal, hurry);
    }
  }
}
