// The device's records and its key in IndexedDB, as nothing but sealed bytes. Used inside the worker alone.
import { deleteDB, openDB } from 'idb';

const VERSION = 1;
const RECORDS = 'records';
const KEYS = 'keys';
const VAULT = 'vault';
/** What the wrapped key is bound to. */
const KEY_CONTEXT = new TextEncoder().encode('letterlock/key/v1');
const NONCE_SIZE = 12;

/** @param {string} profile */
export const databaseName = (profile) => `letterlock-${profile}`;

/**
 * How a store key is kept: wrapped by a key that the browser does not give out.
 *
 * @typedef {{version: number, key: CryptoKey, nonce: Uint8Array, sealed: Uint8Array, locked: boolean, made: boolean}} Vault
 */

/** @typedef {[scope: Uint8Array, number: number, value: Uint8Array | null]} Write */

export class Store {
  #db;

  /** @param {import('idb').IDBPDatabase} db */
  constructor(db) {
    this.#db = db;
  }

  /** @param {string} profile */
  static async open(profile) {
    const db = await openDB(databaseName(profile), VERSION, {
      upgrade(fresh) {
        fresh.createObjectStore(RECORDS); // key: [scope, number]
        fresh.createObjectStore(KEYS);
      },
      blocking(_current, _blocked, event) {
        event.target.close(); // who erases the profile does not have to wait
      },
    });
    return new Store(db);
  }

  /**
   * The sealed value of a record.
   *
   * @param {Uint8Array} scope
   * @param {number} number
   * @returns {Promise<Uint8Array | undefined>}
   */
  get(scope, number) {
    return this.#db.get(RECORDS, [scope, number]);
  }

  /**
   * Records with numbers above after, in their order.
   *
   * @param {Uint8Array} scope
   * @param {number} after
   * @param {number} limit
   * @returns {Promise<{numbers: number[], values: Uint8Array[]}>}
   */
  async list(scope, after, limit) {
    const range = IDBKeyRange.bound([scope, after], [scope, Infinity], true);
    const records = this.#db.transaction(RECORDS).store;
    const [keys, values] = await Promise.all([records.getAllKeys(range, limit), records.getAll(range, limit)]);
    return { numbers: keys.map(([, number]) => number), values };
  }

  /**
   * Makes writes durable, all or none. identity says that they hold the keys of an identity.
   *
   * @param {Write[]} writes
   * @param {boolean} identity
   */
  async commit(writes, identity) {
    await this.#write(async (transaction) => {
      const records = transaction.objectStore(RECORDS);
      const done = [];
      const add = (request) => {
        request.catch(() => {}); // one that fails takes the others along: the first is told
        done.push(request);
      };
      for (const [scope, number, value] of writes) {
        add(value === null ? records.delete([scope, number]) : records.put(value, [scope, number]));
      }
      if (identity) {
        const keys = transaction.objectStore(KEYS);
        add(keys.put({ ...(await keys.get(VAULT)), made: true }, VAULT));
      }
      await Promise.all(done);
    });
  }

  /** Lets other tasks run. */
  breathe() {
    return new Promise((resolve) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        channel.port1.close();
        resolve();
      };
      channel.port2.postMessage(null);
    });
  }

  /** @returns {Promise<Vault | undefined>} */
  vault() {
    return this.#db.get(KEYS, VAULT);
  }

  /**
   * Keeps a store key, wrapped by a key of the browser's.
   *
   * @param {Uint8Array} text what the core gives for it
   * @param {boolean} locked whether a passphrase locks it besides
   * @param {boolean} made whether the records hold an identity
   */
  async keepKey(text, locked, made) {
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_SIZE));
    const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: KEY_CONTEXT };
    const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, text));
    await this.#write((transaction) =>
      transaction.objectStore(KEYS).put({ version: VERSION, key, nonce, sealed, locked, made }, VAULT),
    );
  }

  /**
   * What keepKey was given.
   *
   * @param {Vault} vault
   */
  async readKey({ key, nonce, sealed }) {
    const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: KEY_CONTEXT };
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed));
  }

  /** Forgets all records and the key. */
  async clear() {
    await this.#write((transaction) =>
      Promise.all([transaction.objectStore(RECORDS).clear(), transaction.objectStore(KEYS).clear()]),
    );
  }

  close() {
    this.#db.close();
  }

  /**
   * One transaction, durable when this returns; nothing is changed if it throws.
   *
   * @param {(transaction: import('idb').IDBPTransaction) => unknown} change
   */
  async #write(change) {
    const transaction = this.#db.transaction([RECORDS, KEYS], 'readwrite', { durability: 'strict' });
    try {
      await change(transaction);
    } catch (error) {
      transaction.done.catch(() => {});
      try {
        transaction.abort();
      } catch {
        // it has ended by itself
      }
      throw error;
    }
    await transaction.done;
  }
}

/** @param {string} profile */
export const erase = (profile) => deleteDB(databaseName(profile));
