// What a program holds: index.d.ts promises it.
import { watchBrowser } from './browser.js';
import { WorkerPort } from './core.js';
import { Engine, perform } from './engine.js';
import { failure } from './errors.js';
import { Emitter } from './events.js';
import { Link } from './link.js';
import { persist } from './persist.js';
import { Tabs } from './tabs.js';

export class Letterlock {
  #emitter = new Emitter();
  #status = { phase: 'empty', leads: false, passphrase: false, connection: { state: 'idle' } };
  #hurry = new EventTarget();
  #client = null;
  #wanted = false;
  /** @type {Engine | null} */
  #engine = null;
  #closed = false;
  /** A leader is known, or was: the program has this object. */
  #known = false;
  /** @type {Tabs} */
  #tabs;
  /** @type {WorkerPort} */
  #port;
  #unwatch;

  /**
   * @param {{server: string, profile: string, wasm: string}} options
   * @param {Worker} worker
   * @returns {Promise<Letterlock>} once this tab leads, or knows which one does
   */
  static open(options, worker) {
    return new Promise((resolve, reject) => {
      const opened = new Letterlock(options, worker, () => resolve(opened), reject);
    });
  }

  constructor({ server, profile, wasm }, worker, opened, failed) {
    this.server = server;
    this.opened = () => {
      this.#known = true;
      opened();
    };
    this.linkMade = new Link(server, () => this.#tabs.call('token', {}).catch(() => ''));
    this.#tabs = new Tabs(profile, {
      leader: (status) => this.#follow(status),
      event: (event, value) => this.#happened(event, value),
      erasing: () => this.#letGo(),
      hears: () => this.#engine.notices.listen(),
      connect: () => this.#engine.connect(this.#client),
    });
    this.#port = new WorkerPort(worker, { event: (event) => event === 'crashed' && this.#crashed() });
    this.#port.call('open', { profile, server, wasm }).then(
      (said) => this.#lead(said),
      (error) => {
        failed(error);
        if (error.code !== 'closed') this.#notStarted(error);
      },
    );
    this.#unwatch = watchBrowser(this.#hurry, () => this.linkMade.terminate());
  }

  #lead(said) {
    if (this.#closed) return;
    this.#engine = new Engine(this.#port, said, this.linkMade, this.#hurry, (event, value) => {
      this.#tabs.tell(event, value);
      this.#happened(event, value);
    });
    this.#tabs.lead(
      (method, params, context) =>
        method === 'signOut' ? this.#signOut() : perform(this.#engine, method, params, context),
      () => this.#engine.status,
    );
    this.#happened('status', this.#engine.status);
    if (this.#emitter.has('notice')) this.#engine.notices.listen();
    if (this.#wanted) this.#engine.connect(this.#client);
    else if (this.#client) this.#engine.server.client = this.#client;
    this.opened();
  }

  #follow(status) {
    this.#happened('status', status);
    if (this.#emitter.has('notice')) this.#tabs.hear();
    this.opened();
  }

  #happened(event, value) {
    if (this.#closed && event !== 'status') return;
    if (event !== 'status') return this.#emitter.emit(event, value);
    this.#status = { ...value, leads: this.#engine !== null };
    this.#emitter.emit('status', this.#status);
    if (value.phase === 'closed') this.#end();
  }

  #crashed() {
    const connection = { state: 'failed', reason: 'the device has stopped because of a fault in it; reload the page' };
    this.#engine?.stop();
    this.#happened('status', { ...this.#status, connection });
  }

  /** The lock goes with the worker: another tab may fare better. This one may have followed until now. */
  #notStarted(error) {
    if (!this.#known) return this.#end();
    this.#port.end(error);
    this.#happened('status', { ...this.#status, connection: { state: 'failed', reason: error.message, code: error.code } });
  }

  /** All tabs sign out: no other worker may take the lock and begin anew. */
  #letGo() {
    this.#port.end();
  }

  #end() {
    if (this.#closed) return;
    this.#closed = true;
    this.#unwatch();
    this.#engine?.stop();
    this.linkMade.close();
    this.#port.end();
    this.#tabs.close();
  }

  status() {
    return this.#status;
  }

  on(event, listener) {
    const off = this.#emitter.on(event, listener);
    if (event === 'notice') {
      if (this.#engine) this.#engine.notices.listen();
      else this.#tabs.hear();
    }
    return off;
  }

  link() {
    return this.linkMade.link;
  }

  connect(client) {
    if (this.#closed) throw failure('closed');
    this.#client = client;
    this.#wanted = true;
    if (this.#engine) this.#engine.connect(client);
    else this.#tabs.connect();
  }

  async #call(method, params = {}, context) {
    if (this.#closed) throw failure('closed');
    return this.#tabs.call(method, params, context);
  }

  create({ passphrase = '', invite = '' } = {}) {
    persist();
    return this.#call('create', { passphrase, invite });
  }

  unlock(passphrase) {
    return this.#call('unlock', { passphrase });
  }

  changePassphrase(passphrase, current = '') {
    return this.#call('changePassphrase', { passphrase, current });
  }

  self() {
    return this.#call('self');
  }

  async signOut() {
    if (this.#closed) throw failure('closed');
    if (this.#engine) return this.#signOut();
    try {
      await this.#tabs.call('signOut', {});
    } catch (error) {
      if (this.#status.phase !== 'closed') throw error; // the tab that led has ended before it could answer
    }
  }

  async #signOut() {
    this.#tabs.erasing();
    await this.#engine.signOut();
  }

  async close() {
    if (this.#closed) return;
    this.#engine?.stop();
    if (this.#engine) await this.#port.call('close').catch(() => {});
    this.#happened('status', { ...this.#status, phase: 'closed', connection: { state: 'idle' } });
  }

  conversations() {
    return this.#call('conversations');
  }

  history(peer, before = 0, limit = 50) {
    return this.#call('history', { peer, before, limit });
  }

  send(peer, text) {
    return this.#call('send', { peer, text, since: Date.now() });
  }

  markRead(peer, upTo) {
    return this.#call('markRead', { peer, upTo });
  }

  setDraft(peer, text) {
    return this.#call('setDraft', { peer, text });
  }

  search(text, limit = 50) {
    return this.#call('search', { text, limit });
  }

  refusals() {
    return this.#call('refusals');
  }

  contacts() {
    return this.#call('contacts');
  }

  addContact(name, user) {
    return this.#call('addContact', { name, user });
  }

  replaceContact(name, user) {
    return this.#call('replaceContact', { name, user });
  }

  blocked() {
    return this.#call('blocked');
  }

  block(user) {
    return this.#call('block', { user });
  }

  unblock(user) {
    return this.#call('unblock', { user });
  }

  removeContact(name) {
    return this.#call('removeContact', { name });
  }

  trust(user) {
    return this.#call('trust', { user });
  }

  accept(user) {
    return this.#call('accept', { user });
  }

  safetyNumber(user) {
    return this.#call('safetyNumber', { user });
  }

  verify(user, shown) {
    return this.#call('verify', { user, shown });
  }

  unverify(user) {
    return this.#call('unverify', { user });
  }

  devices() {
    return this.#call('devices');
  }

  unlink(device) {
    return this.#call('unlink', { device });
  }

  join(prompt, { passphrase = '', signal } = {}) {
    return this.#call('join', { passphrase }, { prompt, signal });
  }

  linkDevice(code, prompt, { manage = false, signal } = {}) {
    return this.#call('linkDevice', { code, manage }, { prompt, signal });
  }

  exportUser() {
    return this.#call('exportUser');
  }

  deleteUser() {
    return this.#call('deleteUser');
  }

  receipts() {
    return this.#call('receipts');
  }

  setReceipts(receipts) {
    return this.#call('setReceipts', receipts);
  }

  async getSetting(name) {
    return (await this.#call('getSetting', { name })) ?? undefined;
  }

  setSetting(name, value) {
    return this.#call('setSetting', { name, value });
  }
}
