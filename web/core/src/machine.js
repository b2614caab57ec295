// The device as WebAssembly: starts it over a store, and calls it.

/** An error that crosses to the tab: a code, and a message for people. */
export class DeviceError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The program has ended where it must not; its records are as they were. */
export const crashed = () =>
  new DeviceError('crashed', 'the device has stopped because of a fault in it; nothing that was kept is lost. Reload the page');

export class Machine {
  #functions;
  #pending = new Set();
  #dead = false;
  /** Settles when the program has ended. */
  ended;

  /**
   * Starts the program. The Go class of wasm_exec.js has to be there.
   *
   * @param {import('./store.js').Store} store
   * @param {WebAssembly.Module} module
   */
  static async start(store, module) {
    const machine = new Machine();
    const go = new globalThis.Go();
    const instance = await WebAssembly.instantiate(module, go.importObject);
    globalThis.letterlockStore = {
      get: (scope, number) => store.get(scope, number),
      list: (scope, after, limit) => store.list(scope, after, limit),
      commit: (writes, identity) => store.commit(writes, identity),
      breathe: () => store.breathe(),
      ready: (functions) => {
        machine.#functions = functions;
      },
    };
    // It runs until it waits for the first call.
    machine.ended = go.run(instance).then(
      () => machine.#die(),
      () => machine.#die(),
    );
    if (!machine.#functions) {
      throw crashed();
    }
    return machine;
  }

  /**
   * One of the core's methods.
   *
   * @param {string} method
   * @param {unknown} params
   */
  async call(method, params) {
    return JSON.parse(await this.#invoke('call', method, JSON.stringify(params ?? {})));
  }

  /**
   * A new store key, as it is kept.
   *
   * @param {string} passphrase
   * @returns {Promise<Uint8Array>}
   */
  makeKey(passphrase) {
    return this.#invoke('make', passphrase);
  }

  /**
   * The same store key under another passphrase.
   *
   * @param {Uint8Array} key
   * @param {string} current
   * @param {string} passphrase
   * @returns {Promise<Uint8Array>}
   */
  changeKey(key, current, passphrase) {
    return this.#invoke('change', key, current, passphrase);
  }

  /**
   * Opens the records.
   *
   * @param {Uint8Array} key
   * @param {string} passphrase
   * @param {string} server
   */
  openKey(key, passphrase, server) {
    return this.#invoke('open', key, passphrase, server);
  }

  #invoke(name, ...args) {
    return new Promise((resolve, reject) => {
      if (this.#dead) {
        reject(crashed());
        return;
      }
      this.#pending.add(reject);
      this.#functions[name](...args, (error, result) => {
        this.#pending.delete(reject);
        if (error) {
          reject(new DeviceError(error.code, error.message));
        } else {
          resolve(result);
        }
      });
    });
  }

  #die() {
    this.#dead = true;
    for (const reject of this.#pending) {
      reject(crashed());
    }
    this.#pending.clear();
  }
}
