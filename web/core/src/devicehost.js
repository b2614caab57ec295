// What the worker does for the tab: the device over its store, with the calls that are not the device's own.
import { DeviceError, Machine } from './machine.js';
import { erase, Store } from './store.js';

export class DeviceHost {
  #profile;
  #server;
  #load;
  /** @type {Store} */
  #store;
  /** @type {Machine} */
  #machine;
  #phase = 'empty';
  #locked = false;
  /** Calls that change keys wait for each other. */
  #turn = Promise.resolve();

  /**
   * @param {(wasm: string) => Promise<WebAssembly.Module>} load brings the program
   */
  constructor(load) {
    this.#load = load;
  }

  /** Settles when the program has ended, which it does not by itself. */
  get ended() {
    return this.#machine?.ended;
  }

  /**
   * Does a call.
   *
   * @param {string} method
   * @param {any} params
   */
  async handle(method, params) {
    switch (method) {
      case 'open':
        return this.#inTurn(() => this.#open(params));
      case 'create':
      case 'startLink':
        return this.#inTurn(() => this.#begin(method, params));
      case 'finishLink':
        return this.#inTurn(() => this.#finish(params));
      case 'unlock':
        return this.#inTurn(() => this.#unlock(params));
      case 'changePassphrase':
        return this.#inTurn(() => this.#changePassphrase(params));
      case 'erase':
        return this.#inTurn(() => this.#erase());
      case 'close':
        return this.#inTurn(() => this.#close());
      default:
        if (this.#phase === 'locked') {
          throw new DeviceError('passphrase-needed', 'the records are locked with a passphrase');
        }
        return this.#running().call(method, params);
    }
  }

  #inTurn(task) {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => {});
    return result;
  }

  #running() {
    if (!this.#machine) {
      throw new DeviceError('bad-call', 'the device is not open');
    }
    return this.#machine;
  }

  async #open({ profile, server, wasm }) {
    if (this.#machine || !/^[a-z0-9-]{1,32}$/.test(profile)) {
      throw new DeviceError('bad-call', 'a profile is 1 to 32 of a-z, 0-9 and -, and is opened once');
    }
    this.#profile = profile;
    this.#server = server;
    const [store, module] = await Promise.all([Store.open(profile), this.#load(wasm)]);
    this.#store = store;
    this.#machine = await Machine.start(store, module);
    const vault = await store.vault();
    if (vault?.locked) {
      this.#phase = vault.made ? 'locked' : 'empty';
      this.#locked = vault.made;
    } else if (vault) {
      await this.#openKey(vault, '');
      this.#phase = vault.made ? 'ready' : 'empty';
    }
    return this.#status();
  }

  #status() {
    return { phase: this.#phase, passphrase: this.#locked };
  }

  async #openKey(vault, passphrase) {
    const key = await this.#readKey(vault);
    try {
      await this.#machine.openKey(key, passphrase, this.#server);
    } finally {
      key.fill(0);
    }
  }

  async #readKey(vault) {
    try {
      return await this.#store.readKey(vault);
    } catch {
      throw new DeviceError('store-damaged', 'the key of these records does not open: the browser has damaged it');
    }
  }

  async #unlock({ passphrase }) {
    if (this.#phase !== 'locked') {
      throw new DeviceError('no-passphrase', 'nothing is locked with a passphrase here');
    }
    await this.#openKey(await this.#store.vault(), passphrase);
    this.#phase = 'ready';
    return this.#status();
  }

  async #changePassphrase({ passphrase, current = '' }) {
    const vault = await this.#store.vault();
    if (!vault?.made) {
      throw new DeviceError('no-keys', 'no keys have been made here yet');
    }
    const key = await this.#readKey(vault);
    try {
      const changed = await this.#machine.changeKey(key, current, passphrase);
      await this.#store.keepKey(changed, passphrase !== '', true);
      changed.fill(0);
      this.#locked = passphrase !== '';
    } finally {
      key.fill(0);
    }
    return this.#status();
  }

  /** Makes a store key first. What a link that came to nothing has left goes on, or makes room. */
  async #begin(method, { passphrase = '', ...params } = {}) {
    const vault = await this.#store.vault();
    if (vault?.made) {
      throw new DeviceError('has-keys', 'keys have been made here before');
    }
    if (method === 'create' || !(await this.#goesOn(vault, passphrase))) {
      await this.#store.clear();
      const key = await this.#machine.makeKey(passphrase);
      await this.#store.keepKey(key, passphrase !== '', false);
      await this.#machine.openKey(key, passphrase, this.#server);
      key.fill(0);
    }
    const result = await this.#machine.call(method, params);
    if (method === 'create') {
      this.#phase = 'ready';
      this.#locked = passphrase !== '';
    }
    return result;
  }

  async #goesOn(vault, passphrase) {
    if (!vault || vault.locked !== (passphrase !== '')) {
      return false;
    }
    try {
      await this.#openKey(vault, passphrase);
      return true;
    } catch {
      return false;
    }
  }

  async #finish(params) {
    const result = await this.#machine.call('finishLink', params);
    if (result.value) {
      this.#phase = 'ready';
      this.#locked = (await this.#store.vault()).locked;
    }
    return result;
  }

  async #erase() {
    this.#running();
    await this.#store.clear();
    this.#store.close();
    await erase(this.#profile);
    this.#phase = 'closed';
    this.#locked = false;
    return this.#status();
  }

  #close() {
    this.#store?.close();
    this.#phase = 'closed';
    return this.#status();
  }
}
