// Sends what is queued: one outbox at a time for each peer, in order, the same bytes again after an unknown outcome.
import { readReceipt } from './answers.js';
import { failure, LetterlockError, transient } from './errors.js';
import { SEND_MESSAGE } from './operations.js';
import { patiently, wait } from './pace.js';

/** How often one run seals a message anew because the server says that a list has moved on, and how often without a pause. */
const MAX_RESEALS = 8;
const FREE_RESEALS = 2;
/** How often it makes another message id because the server says that the old one has expired. */
const MAX_RENAMES = 2;
/** How many peers are sent to side by side. */
const MAX_RUNS = 4;
const AGAIN_MS = 3000;
/** How long to wait for the prekeys of somebody who has none: who has just registered uploads them in the next moment. */
const PREKEYS_MS = [250, 500, 1000];

const REFUSALS = {
  DEVICE_LIST_CHANGED: 'list-changed',
  MESSAGE_ID_EXPIRED: 'expired',
  RECIPIENT_UNKNOWN: 'recipient',
  BAD_INPUT: 'for-good',
  REQUEST_TOO_LARGE: 'for-good',
  MESSAGE_ID_REUSED: 'for-good',
  GRAPHQL_PARSE_FAILED: 'for-good',
  GRAPHQL_VALIDATION_FAILED: 'for-good',
};

export class Outbox {
  /** @type {Set<string>} peers under way */
  #running = new Set();
  /** @type {Set<string>} peers who got something while they were under way */
  #again = new Set();
  /** @type {AbortController | null} set while sending makes sense */
  #on = null;
  #timer;

  /** Told of what ended a run and is not this message's own trouble: nothing else can be sent either. */
  onTrouble = () => {};

  /** @param {object} parts core, server, chains, prekeys; hurry ends waits */
  constructor(parts) {
    Object.assign(this, parts);
  }

  /** From now on what is queued is sent. */
  start() {
    this.#on ??= new AbortController();
    return this.kick();
  }

  stop() {
    this.#on?.abort(failure('closed'));
    this.#on = null;
    clearTimeout(this.#timer);
  }

  /** Something was queued, for this peer above all: no look is needed for that. */
  queued(peer) {
    if (peer && this.#on && !this.#running.has(peer) && this.#running.size < MAX_RUNS) this.#run(peer, this.#on);
    this.kick();
  }

  /** Looks for what is queued. */
  async kick() {
    const on = this.#on;
    if (!on) return;
    const peers = await this.core.call('outboxes').catch(() => []);
    for (const peer of peers) {
      if (this.#on !== on) return;
      if (this.#running.has(peer)) this.#again.add(peer);
      else if (this.#running.size < MAX_RUNS) this.#run(peer, on);
      else this.#later();
    }
  }

  async #run(peer, on) {
    this.#running.add(peer);
    try {
      await new Delivery(this, peer, on.signal).run();
    } catch (error) {
      // What is blocked waits for the user; the rest for the network, which the connection looks after.
      if (transient(error)) this.#later();
      else if (error.code === 'clock') this.onTrouble(error);
    } finally {
      this.#running.delete(peer);
      if (this.#again.delete(peer)) this.kick();
    }
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.kick(), AGAIN_MS);
  }
}

/** One run through a peer's outbox. */
class Delivery {
  #reseals = 0;
  #renames = 0;
  /** Whose prekeys were asked for, for the outbox's head. */
  #claimed = [];

  constructor({ core, server, chains, prekeys, hurry }, peer, signal) {
    Object.assign(this, { core, server, chains, prekeys, hurry, peer, signal });
  }

  async run() {
    for (;;) {
      const { signal, hurry } = this;
      if (await patiently(() => this.#next(), { signal, hurry })) return;
    }
  }

  /** Does what has to be done next for the outbox's head, and says when there is nothing left. One try. */
  async #next() {
    this.signal.throwIfAborted();
    const { requests, notices } = await this.core.step('nextSend', { peer: this.peer, claimed: this.#claimed });
    if (requests.length === 0) {
      this.#claimed = [];
      // The head may have come to nothing, and more wait behind it.
      return notices.length === 0 && !(await this.core.call('outboxes')).includes(this.peer);
    }
    for (const request of requests) {
      if (request.type === 'fetchUser') await this.#fetch(request);
      else if (request.type === 'claimPrekeys') await this.#claim(request);
      else if (request.type === 'sendMessage') await this.#send(request);
    }
    return false;
  }

  /** Gets a chain that sealing needs. Without it the message has failed. */
  async #fetch({ user, since }) {
    const { known, alarm } = await this.chains.fetch(user, since);
    if (alarm) await this.#giveUp('list-refused');
    else if (!known && user === this.peer) await this.#giveUp('recipient-unknown');
  }

  /** Starts sessions. What is still missing, or is refused, shows when the message is sealed. */
  async #claim(request) {
    let { found, alarm } = await this.prekeys.claim(request);
    for (const ms of PREKEYS_MS) {
      if (found > 0 || request.user !== this.peer) break;
      await wait(ms, this.signal, this.hurry);
      ({ found, alarm } = await this.prekeys.claim(request));
    }
    if (alarm && request.user === this.peer) await this.#giveUp('prekeys-refused');
    this.#claimed.push(request.user);
  }

  #giveUp(reason) {
    return this.core.step('giveUp', { peer: this.peer, reason });
  }

  async #send({ token, input }) {
    this.#claimed = [];
    let receipt;
    try {
      receipt = readReceipt(input, await this.server.authorized(SEND_MESSAGE, { input }));
    } catch (error) {
      const refused = error.stored === 'UNKNOWN' || transient(error) ? undefined : REFUSALS[error.code];
      if (!refused) throw error;
      return this.#declined(token, refused, error);
    }
    await this.core.step('accepted', { token, receipt });
  }

  async #declined(token, refused, why) {
    const { requests } = await this.core.step('declined', { token, refused });
    for (const request of requests) {
      if (request.type === 'fetchUser') await this.#fetch(request);
    }
    if (refused === 'list-changed') {
      this.#reseals += 1;
      if (this.#reseals > MAX_RESEALS) throw new LetterlockError('list-restless', 'a device list changes all the time');
      if (this.#reseals > FREE_RESEALS) await wait(this.#reseals * 100, this.signal);
    } else if (refused === 'expired') {
      this.#renames += 1;
      if (this.#renames > MAX_RENAMES) throw Object.assign(failure('clock'), { cause: why });
    }
  }
}
