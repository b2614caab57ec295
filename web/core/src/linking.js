// Links devices: a new one that joins, an existing one that takes it in; and the list of one's own devices.
import { readLink } from './answers.js';
import { alarmed, failure, LetterlockError, transient } from './errors.js';
import { LINK_MESSAGE, PUBLISH_DEVICE_LIST, PUT_LINK_MESSAGE } from './operations.js';
import { patiently, wait } from './pace.js';

/** How often a device looks whether the other one has answered, and how long a link takes at the most. */
const POLL_MS = 1000;
const LIFETIME_MS = 600_000;
/** Bounds how often one call signs a list anew because another one was published first. */
const MAX_RESIGNS = 5;

const KEYS = 0;
const OFFER = 1;
const ENTRY = 2;
const GRANT = 3;

export class Linking {
  /** @param {object} parts core, server, chains, registration, hurry */
  constructor(parts) {
    Object.assign(this, parts);
  }

  /** Makes a further device of an existing user. */
  async join({ passphrase, prompt, signal }) {
    this.#needServer();
    return this.#within(LIFETIME_MS, signal, async (signal) => {
      const { value, requests } = await this.core.step('startLink', { passphrase });
      await this.#put(requests, signal);
      prompt.show(value.code, value.ends);
      const offer = await this.#await(value.slot, OFFER, signal);
      const { value: named } = await this.core.step('linkOffered', { offer });
      await this.#ask(prompt, { user: named.user, device: value.device }, signal, async () => {
        await this.#put((await this.core.step('declineLink', { offer })).requests, signal);
      });
      await this.#put((await this.core.step('joinLink', { offer })).requests, signal);
      return this.#finish(await this.#await(value.slot, GRANT, signal), signal);
    });
  }

  /** Takes the grant, with the chain that it is checked against. A server that withholds the chain gains nothing. */
  async #finish(grant, signal) {
    for (let tries = 0; tries < 2; tries++) {
      const { value, requests } = await this.core.step('finishLink', { grant });
      if (value) return value;
      for (const { type, user, since } of requests) {
        if (type !== 'fetchUser') continue;
        const { alarm } = await this.#patiently(() => this.chains.fetch(user, since), signal);
        if (alarm) throw alarmed();
      }
    }
    throw new LetterlockError('link-list', 'the server withholds the device list of this link');
  }

  /** Makes the device that shows a code one of one's own user. */
  async linkDevice({ code, manage = false, prompt, signal }) {
    const { slot } = await this.core.call('parseLinkCode', { code });
    this.#needServer();
    return this.#within(LIFETIME_MS, signal, async (signal) => {
      await this.#learnOwn(signal);
      const step0 = await this.#look(slot, KEYS, signal);
      if (!step0) throw failure('LINK_EXPIRED');
      const { device } = (await this.core.step('checkLink', { code, step0 })).value;
      const { user } = await this.core.call('self');
      await this.#ask(prompt, { user, device }, signal);
      await this.#put((await this.core.step('offerLink', { code, step0, manage })).requests, signal);
      const step2 = await this.#await(slot, ENTRY, signal);
      await this.#publish('signLink', { step2 }, signal);
      await this.#put((await this.core.step('grantLink')).requests, signal);
      return device;
    });
  }

  /** One's own devices, by the newest list that the server shows and that holds. */
  async devices() {
    this.#needServer();
    await this.#learnOwn();
    return this.core.call('devices');
  }

  /** Publishes the next list of one's own devices without one of them, for good. */
  async unlink(device) {
    this.#needServer();
    await this.#learnOwn();
    await this.#publish('removeDevice', { device });
  }

  #needServer() {
    if (!this.server.client) throw failure('offline');
  }

  #patiently(attempt, signal) {
    return patiently(attempt, { signal, hurry: this.hurry });
  }

  #learnOwn(signal) {
    return this.#patiently(async () => {
      await this.registration.ready();
      await this.chains.fetchOwn();
    }, signal);
  }

  /** Runs a link until it has ended, for good or bad (L1.9), or time has. One that was cut off can go on. */
  async #within(ms, outer, run) {
    const ended = new AbortController();
    const stop = () => ended.abort(outer.reason instanceof LetterlockError ? outer.reason : failure('aborted'));
    const timer = setTimeout(() => ended.abort(failure('LINK_EXPIRED')), ms);
    outer?.addEventListener('abort', stop);
    if (outer?.aborted) stop();
    try {
      ended.signal.throwIfAborted();
      const result = await run(ended.signal);
      await this.core.step('dropLink').catch(() => {});
      return result;
    } catch (error) {
      const cut = transient(error) || error.code === 'closed';
      if (!cut) await this.core.step('dropLink').catch(() => {}); // it may not have begun
      throw error;
    } finally {
      clearTimeout(timer);
      outer?.removeEventListener('abort', stop);
    }
  }

  /** Asks the user. Reading a code is no consent. */
  async #ask(prompt, question, signal, declined = async () => {}) {
    const ended = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    const yes = await Promise.race([prompt.confirm(question), ended]);
    if (yes === true) return;
    await declined();
    throw new LetterlockError('link-declined', 'the link was declined; nothing was changed');
  }

  async #put(requests, signal) {
    for (const { type, slot, step, data } of requests) {
      if (type !== 'putLink') continue;
      await this.#patiently(() => this.server.anonymous(PUT_LINK_MESSAGE, { slot, step, data }), signal);
    }
  }

  /** What lies in a step of the slot; null if nothing does. */
  async #look(slot, step, signal) {
    return readLink(await this.#patiently(() => this.server.anonymous(LINK_MESSAGE, { slot, step }), signal));
  }

  /** Looks until something lies there. A server that can't be reached is asked again: there is time. */
  async #await(slot, step, signal) {
    for (;;) {
      signal.throwIfAborted();
      try {
        const data = await this.#look(slot, step, signal);
        if (data) return data;
      } catch (error) {
        if (!transient(error)) throw error;
      }
      await wait(POLL_MS, signal);
    }
  }

  /** Signs and publishes until the list is there, and holds here as well: the step gives no request then. */
  async #publish(method, params, signal) {
    for (let tries = 0; tries < MAX_RESIGNS; tries++) {
      const { requests } = await this.core.step(method, params);
      const lists = requests.filter(({ type }) => type === 'publishList');
      if (lists.length === 0) return;
      for (const { deviceList } of lists) await this.#publishList(deviceList, signal);
    }
    throw new LetterlockError('list-restless', 'another device changes the list all the time; try again');
  }

  /** Publishes one list, and learns what holds then: this list, or the one that came first. */
  #publishList(deviceList, signal) {
    return this.#patiently(async () => {
      try {
        await this.server.authorized(PUBLISH_DEVICE_LIST, { input: { deviceList } });
      } catch (error) {
        if (error.code !== 'LIST_CONFLICT') throw error;
      }
      await this.chains.fetchOwn();
    }, signal);
  }
}
