// The device as the leading tab runs it: every method of the interface, and the parts that talk to the server.
import { Account } from './account.js';
import { Blocks } from './blocks.js';
import { Chains } from './chains.js';
import { Connection } from './connection.js';
import { Core } from './core.js';
import { failure } from './errors.js';
import { Inbox } from './inbox.js';
import { Linking } from './linking.js';
import { Notices } from './notices.js';
import { Outbox } from './outbox.js';
import { patiently } from './pace.js';
import { persist } from './persist.js';
import { Prekeys } from './prekeys.js';
import { INVITE, Registration } from './registration.js';
import { Server } from './server.js';
import { Tokens } from './tokens.js';

export class Engine {
  status = { phase: 'empty', passphrase: false, connection: { state: 'idle' } };
  #wanted = false;
  /** Messages composed here, so that a call that is repeated after another tab has gone finds only that tab's. */
  #composed = new Set();

  /**
   * @param {object} port calls the worker
   * @param {{phase: string, passphrase: boolean}} opened what the worker said
   * @param {import('./link.js').Link} link
   * @param {EventTarget} hurry
   * @param {(event: string, value: object) => void} emit
   */
  constructor(port, opened, link, hurry, emit) {
    Object.assign(this.status, opened);
    this.emit = emit;
    this.core = new Core(port);
    this.core.onStep = (result) => this.#stepped(result);
    this.tokens = new Tokens((now) => this.core.call('token', { now }));
    this.server = new Server(this.core, this.tokens);
    this.notices = new Notices(this.core, (notice) => emit('notice', notice));
    const { core, server } = this;
    const chains = new Chains(core, server);
    const prekeys = new Prekeys(core, server);
    this.blocks = new Blocks(core, server);
    const registration = new Registration(core, server, prekeys, this.blocks);
    const parts = { core, server, chains, prekeys, registration, link, hurry };
    this.chains = chains;
    this.hurry = hurry;
    this.inbox = new Inbox(parts);
    this.outbox = new Outbox(parts);
    this.linking = new Linking(parts);
    this.account = new Account(parts);
    this.connection = new Connection({ ...parts, inbox: this.inbox, outbox: this.outbox }, (connection) => {
      this.#set({ connection });
    });
  }

  #set(change) {
    Object.assign(this.status, change);
    this.emit('status', this.status);
  }

  #stepped({ notices, queued, change }) {
    if (change) this.emit('change', change);
    if (queued) this.outbox.queued(change?.conversations[0]);
    if (notices.length > 0) this.notices.add(notices);
  }

  /** Hands over the program's Apollo Client. Connects as soon as there is an identity. */
  connect(client) {
    if (client) this.server.client = client;
    this.#wanted = true;
    this.#connect();
  }

  #connect() {
    if (this.#wanted && this.server.client && this.status.phase === 'ready') this.connection.start();
  }

  #ready(passphrase) {
    this.#set({ phase: 'ready', passphrase });
    this.notices.run();
    this.#connect();
  }

  /** Ends what talks to the server; calls still work. */
  stop() {
    this.#wanted = false;
    this.connection.stop();
  }

  // What follows is called by name, also from other tabs: each takes one object and answers with plain data.

  async token() {
    return this.status.phase === 'ready' ? this.tokens.get() : '';
  }

  async create({ passphrase = '', invite = '' }, { repeated } = {}) {
    try {
      const { value } = await this.core.step('create', { passphrase });
      // The user is there already: an invite that could not be kept is asked for again.
      if (invite) await this.core.step('setSetting', { name: INVITE, value: invite }).catch(() => {});
      this.#ready(passphrase !== '');
      return value;
    } catch (error) {
      if (repeated && error.code === 'has-keys') return this.core.call('self');
      throw error;
    }
  }

  async unlock({ passphrase }) {
    if (this.status.phase === 'ready' && this.status.passphrase) return; // another tab was faster
    const { passphrase: locked } = await this.core.call('unlock', { passphrase });
    this.#ready(locked);
  }

  async changePassphrase({ passphrase, current }) {
    const { passphrase: locked } = await this.core.call('changePassphrase', { passphrase, current });
    this.#set({ passphrase: locked });
  }

  async signOut() {
    this.stop();
    await this.core.call('erase');
    this.#set({ phase: 'closed', passphrase: false });
  }

  async send({ peer, text, since }, { repeated } = {}) {
    const sent = repeated ? await this.#sentBefore(peer, text, since) : null;
    const value = sent ?? (await this.core.step('compose', { peer, text })).value;
    this.#remember(`${peer}/${value.number}`);
    return value;
  }

  /** What the tab that led before has composed for a call whose answer got lost with it. */
  async #sentBefore(peer, text, since) {
    const newest = await this.core.call('history', { peer, before: 0, limit: 100 });
    const { device } = await this.core.call('self');
    return newest.find(
      (m) => m.device === device && m.text === text && m.sentAt >= since && !this.#composed.has(`${peer}/${m.number}`),
    );
  }

  #remember(key) {
    this.#composed.add(key);
    if (this.#composed.size > 1000) this.#composed.delete(this.#composed.values().next().value);
  }

  safetyNumber({ user }) {
    return this.#withLists(user, () => this.core.call('safetyNumber', { user }));
  }

  async verify({ user, shown }) {
    await this.safetyNumber({ user });
    await this.core.step('verify', { user, shown });
  }

  /** Does what needs a user's lists; asks the server for them if nothing is held. */
  async #withLists(user, call) {
    try {
      return await call();
    } catch (error) {
      if (error.code !== 'no-list') throw error;
    }
    if (!this.server.client) throw failure('offline');
    await patiently(() => this.chains.learn(user), { hurry: this.hurry });
    return call();
  }

  async block({ user }) {
    await this.core.step('block', { user });
    this.#tellBlocked();
  }

  async unblock({ user }) {
    await this.core.step('unblock', { user });
    this.#tellBlocked();
  }

  /** It holds here at once; the server is told now, or with the next look after prekeys. */
  #tellBlocked() {
    if (this.status.connection.state === 'online') this.blocks.tell().catch(() => {});
  }

  devices() {
    return this.linking.devices();
  }

  unlink({ device }) {
    return this.linking.unlink(device);
  }

  async join({ passphrase = '' }, context) {
    persist();
    const self = await this.linking.join({ passphrase, ...context });
    this.#ready(passphrase !== '');
    return self;
  }

  linkDevice({ code, manage }, context) {
    return this.linking.linkDevice({ code, manage, ...context });
  }

  exportUser() {
    return this.account.export();
  }

  deleteUser() {
    return this.account.delete();
  }

  /** What only reads, and what is one step of the device. */
  plain(method, params) {
    return READS.has(method) ? this.core.call(method, params) : this.core.step(method, params).then(({ value }) => value);
  }
}

const READS = new Set([
  'self', 'blocked', 'conversations', 'history', 'search', 'refusals', 'contacts', 'trust', 'receipts', 'getSetting',
]);
const STEPS = new Set([
  'markRead', 'setDraft', 'addContact', 'replaceContact', 'removeContact', 'accept', 'unverify', 'setReceipts', 'setSetting',
]);
const OWN = new Set([
  'token', 'block', 'unblock', 'create', 'unlock', 'changePassphrase', 'send', 'safetyNumber', 'verify', 'devices', 'unlink', 'join', 'linkDevice',
  'exportUser', 'deleteUser',
]);

/** Does a call of a tab's. @param {Engine} engine */
export async function perform(engine, method, params, context) {
  if (OWN.has(method)) return engine[method](params, context);
  if (READS.has(method) || STEPS.has(method)) return engine.plain(method, params);
  throw failure('bad-call');
}
