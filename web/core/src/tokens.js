// The token in use, and what is known of the server's clock.
import { failure } from './errors.js';

/**
 * How long a token is used before a new one is made, at random: they hold for nine minutes, and open sockets need the new one before that,
 * not all at once after a restart of the server.
 */
const USE_MS = [5 * 60_000, 6.75 * 60_000];
/** By how much a wrong clock is made up for (S6.7), and what is not worth it. */
const MAX_SKEW_MS = 24 * 3600_000;
const MIN_SKEW_MS = 5000;

export class Tokens {
  #token = '';
  #madeAt = 0;
  #use = 0;
  /** By how much the clock was ahead of the time since the page's start, then. */
  #ahead = 0;
  #skew = 0;

  /**
   * @param {(now: number) => Promise<string>} make
   * @param {() => number} [random] from 0 up to 1
   */
  constructor(make, random = Math.random) {
    this.make = make;
    this.random = random;
  }

  /** @returns {Promise<string>} */
  async get() {
    if (this.#token && !this.#moved() && Date.now() - this.#madeAt < this.#use) return this.#token;
    const ahead = aheadNow();
    const madeAt = Date.now();
    const token = await this.make(madeAt + this.#skew);
    this.#token = token;
    this.#madeAt = madeAt;
    this.#ahead = ahead;
    this.#use = USE_MS[0] + this.random() * (USE_MS[1] - USE_MS[0]);
    return token;
  }

  /** Whether the clock was set since the token was made. */
  #moved() {
    return Math.abs(aheadNow() - this.#ahead) >= MIN_SKEW_MS;
  }

  /**
   * Drops a token that was refused, and learns from the server's clock.
   *
   * @param {string} refused
   * @param {number} [serverTime]
   * @returns {boolean} whether a new token may fare better
   */
  forget(refused, serverTime) {
    if (this.#token !== refused) return true; // another request was faster
    this.#token = '';
    if (this.#moved()) return true; // to the right time, it may be
    if (serverTime === undefined) return false;
    const skew = serverTime - Date.now();
    if (Math.abs(skew) > MAX_SKEW_MS) throw failure('clock');
    if (Math.abs(skew - this.#skew) < MIN_SKEW_MS) return false;
    this.#skew = skew;
    return true;
  }
}

function aheadNow() {
  return Date.now() - performance.now();
}
