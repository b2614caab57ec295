import type { ApolloClient } from '@apollo/client';
import { ApolloLink } from '@apollo/client';
import type {
  Alarm, Change, Connection, Contact, Conversation, Device, Events, Letterlock, LinkQuestion, Message, Receipts, Self, Status, Trust, UserId,
} from '@letterlock/core';
import { of } from 'rxjs';
import { idOf, ME, message, MY_DEVICE, talk } from './people';

const MINUTE = 60_000;
/** Less than the core takes, so that it can be tried by hand. */
const LONGEST = 5000;
const NOTHING: Change = { conversations: [], contacts: false, devices: false, trust: [], settings: false };

/** Answers like the core, out of memory. */
export class FakeLetterlock implements Letterlock {
  readonly server = location.origin;
  #status: Status;
  #histories = new Map<UserId, Message[]>();
  #read = new Map<UserId, number>();
  #drafts = new Map<UserId, string>();
  #names = new Map<string, UserId>();
  #trust = new Map<UserId, Trust>();
  #settings = new Map<string, unknown>();
  #receipts: Receipts = { delivered: true, read: true };
  #devices: Device[] = [];
  #connects = 0;
  #answers: number;
  #listeners = new Map<keyof Events, Set<(value: never) => void>>();

  constructor(query: URLSearchParams) {
    const phase = (query.get('phase') ?? 'ready') as Status['phase'];
    const state = (query.get('state') ?? 'online') as Connection['state'];
    this.#status = { phase, leads: true, passphrase: phase === 'locked', connection: { state } };
    this.#answers = Number(query.get('answers') ?? 5000);
    if (phase !== 'empty') this.#fill(Number(query.get('people') ?? 0));
  }

  #fill(more: number): void {
    const now = Date.now();
    const add = (name: string, messages: Message[], unread = 0, known = true) => {
      const peer = idOf(name);
      if (known) this.#names.set(name, peer);
      this.#histories.set(peer, messages);
      this.#read.set(peer, messages.length - unread);
      return peer;
    };
    const mira = add('Mira Lindqvist', talk(idOf('Mira Lindqvist'), 10_000, now - 4 * MINUTE, { 6: ['new-device'], 4: ['late'] }));
    const last = this.#histories.get(mira) ?? [];
    last.push(message({ number: last.length + 1, peer: mira, outgoing: true, text: 'On my way.', sentAt: now - MINUTE, state: 'queued' }));
    last.push(message({ number: last.length + 1, peer: mira, outgoing: true, text: 'With soup.', sentAt: now - MINUTE, state: 'failed', failure: 'prekeys-missing' }));
    this.#trust.set(mira, { verifiedAt: now - 900 * MINUTE });
    const tom = add('Tom', talk(idOf('Tom'), 24, now - 90 * MINUTE));
    this.#trust.set(tom, { changed: { name: 'Tom', former: idOf('Tommy'), at: now - 60 * MINUTE }, blocked: 'contact-changed' });
    add('Grandmother', talk(idOf('Grandmother'), 301, now - 26 * 60 * MINUTE), 3);
    this.#drafts.set(add('Jonas', talk(idOf('Jonas'), 5, now - 3 * 24 * 60 * MINUTE)), 'I was thinking about');
    add('Stranger', talk(idOf('Stranger'), 1, now - 30 * MINUTE), 1, false);
    add('Book club', [], 0);
    for (let index = 0; index < more; index += 1) {
      const letters = String.fromCharCode(97 + Math.floor(index / 26), 97 + (index % 26));
      add(`Person ${letters}`, talk(idOf(`person${letters}`), 3, now - (index + 5) * 24 * 60 * MINUTE));
    }
    this.#devices = [
      { device: MY_DEVICE, this: true, createdAt: now - 9e9, manages: true },
      { device: `d${'b7'.repeat(16)}`, this: false, createdAt: now - 2e9, manages: false },
    ];
  }

  status = () => this.#status;
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener as never));
    return () => void listeners.delete(listener as never);
  }
  #emit<E extends keyof Events>(event: E, value: Events[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as (value: Events[E]) => void)(value);
  }
  #become(status: Partial<Status>): void {
    this.#status = { ...this.#status, ...status };
    this.#emit('status', this.#status);
  }
  #changed(change: Partial<Change>): void {
    this.#emit('change', { ...NOTHING, ...change });
  }

  async create(options?: { passphrase?: string }): Promise<Self> {
    await pause(400);
    this.#devices = [{ device: MY_DEVICE, this: true, createdAt: Date.now(), manages: true }];
    this.#become({ phase: 'ready', passphrase: Boolean(options?.passphrase) });
    return this.self();
  }
  async unlock(passphrase: string): Promise<void> {
    await pause(400);
    if (passphrase === 'wrong') throw Object.assign(new Error('this passphrase is wrong'), { code: 'passphrase-wrong' });
    this.#become({ phase: 'ready' });
  }
  async changePassphrase(passphrase: string): Promise<void> {
    this.#become({ passphrase: passphrase !== '' });
  }
  self = async (): Promise<Self> => ({ user: ME, device: MY_DEVICE, createdAt: Date.now() - 9e9, manages: true });
  signOut = async () => this.#become({ phase: 'closed' });
  close = async () => this.#become({ phase: 'closed' });

  link = () =>
    new ApolloLink(() =>
      of({ data: { server: { version: '1.0.0-fake', time: new Date().toISOString(), limits: { messageLifetimeSeconds: 2_592_000 } } } }),
    );
  connect(_client: ApolloClient): void {
    if (this.#connects++ > 0 && this.#status.connection.state === 'superseded') this.#become({ connection: { state: 'online' } });
  }

  async conversations(): Promise<Conversation[]> {
    const names = new Map([...this.#names].map(([name, user]) => [user, name]));
    const peers = new Set([...this.#histories.keys(), ...names.keys()]);
    return [...peers]
      .map((peer) => {
        const history = this.#histories.get(peer) ?? [];
        const unread = history.slice(this.#read.get(peer) ?? 0).filter(({ outgoing }) => !outgoing).length;
        const trust = this.#trust.get(peer);
        return {
          peer, name: names.get(peer) ?? '', last: history.at(-1), unread, draft: this.#drafts.get(peer) ?? '',
          verified: Boolean(trust?.verifiedAt), blocked: Boolean(trust?.blocked),
        };
      })
      .sort((a, b) => (b.last?.sentAt ?? 0) - (a.last?.sentAt ?? 0));
  }
  async history(peer: UserId, before = 0, limit = 100): Promise<Message[]> {
    const history = this.#histories.get(peer) ?? [];
    const end = before === 0 ? history.length : Math.min(history.length, before - 1);
    return structuredClone(history.slice(Math.max(0, end - limit), end));
  }
  async send(peer: UserId, text: string): Promise<Message> {
    if (text.length > LONGEST) {
      await pause(2000); // time to type more
      throw Object.assign(new Error('this text is too long'), { code: 'text-too-long' });
    }
    const history = this.#histories.get(peer) ?? [];
    this.#histories.set(peer, history);
    const sent = message({ number: history.length + 1, peer, outgoing: true, text, sentAt: Date.now(), state: 'queued' });
    history.push(sent);
    this.#changed({ conversations: [peer] });
    void this.#answer(peer, sent);
    return { ...sent };
  }
  async #answer(peer: UserId, sent: Message): Promise<void> {
    const history = this.#histories.get(peer) ?? [];
    for (const step of [{ state: 'sent' }, { deliveredAt: Date.now() }, { readAt: Date.now() }] as Partial<Message>[]) {
      await pause(500);
      Object.assign(sent, step);
      this.#changed({ conversations: [peer] });
    }
    const answer = message({ number: history.length + 1, peer, outgoing: false, text: `“${sent.text}”, you say?`, sentAt: Date.now() });
    history.push(answer);
    this.#changed({ conversations: [peer] });
    this.#emit('notice', { message: answer });
  }
  async markRead(peer: UserId, upTo: number): Promise<void> {
    this.#read.set(peer, Math.max(upTo, this.#read.get(peer) ?? 0));
    this.#changed({ conversations: [peer] });
  }
  async setDraft(peer: UserId, text: string): Promise<void> {
    this.#drafts.set(peer, text);
    this.#changed({ conversations: [peer] });
  }
  async search(text: string, limit = 50): Promise<Message[]> {
    const all = [...this.#histories.values()].flat().filter((message) => message.text.toLowerCase().includes(text.toLowerCase()));
    return all.sort((a, b) => b.sentAt - a.sentAt).slice(0, limit);
  }
  refusals = async () => [{ reason: 'forged', sender: idOf('Stranger'), at: Date.now() - 5 * MINUTE }];

  contacts = async (): Promise<Contact[]> => [...this.#names].map(([name, user]) => ({ name, user }));
  async addContact(name: string, user: UserId): Promise<void> {
    this.#names.set(name, user);
    this.#changed({ contacts: true });
  }
  async replaceContact(name: string, user: UserId): Promise<void> {
    const former = this.#names.get(name) ?? user;
    this.#names.set(name, user);
    this.#trust.set(user, { changed: { name, former, at: Date.now() }, blocked: 'contact-changed' });
    this.#changed({ contacts: true, trust: [user] });
  }
  async removeContact(name: string): Promise<void> {
    this.#names.delete(name);
    this.#changed({ contacts: true });
  }
  #blocked = new Map<UserId, number>();
  blocked = async () => [...this.#blocked].map(([user, at]) => ({ user, at }));
  async block(user: UserId): Promise<void> {
    this.#blocked.set(user, Date.now());
    this.#changed({ contacts: true });
  }
  async unblock(user: UserId): Promise<void> {
    this.#blocked.delete(user);
    this.#changed({ contacts: true });
  }
  trust = async (user: UserId): Promise<Trust> => this.#trust.get(user) ?? {};
  async accept(user: UserId): Promise<void> {
    this.#setTrust(user, {});
  }
  safetyNumber = async () => ({
    digits: Array.from({ length: 12 }, (_, index) => String(10_007 * (index + 1)).slice(0, 5).padStart(5, '0')).join(' '),
    code: 'A'.repeat(90),
  });
  async verify(user: UserId, shown: string): Promise<void> {
    if (shown === 'wrong') throw Object.assign(new Error('the safety numbers differ'), { code: 'safety-mismatch' });
    this.#setTrust(user, { verifiedAt: Date.now() });
  }
  async unverify(user: UserId): Promise<void> {
    this.#setTrust(user, {});
  }
  #setTrust(user: UserId, trust: Trust & { alarm?: Alarm }): void {
    this.#trust.set(user, trust);
    this.#changed({ trust: [user] });
  }

  devices = async () => this.#devices;
  async unlink(device: string): Promise<void> {
    this.#devices = this.#devices.filter((other) => other.device !== device);
    this.#changed({ devices: true });
  }
  async join(prompt: Parameters<Letterlock['join']>[0]): Promise<Self> {
    prompt.show('L1-7KQ2-93MX-AAPL-4T5W-ZZ81', Date.now() + 10 * MINUTE);
    await pause(this.#answers);
    if (!(await prompt.confirm({ user: ME, device: MY_DEVICE }))) throw new Error('the link was declined');
    return this.create();
  }
  async linkDevice(_code: string, prompt: { confirm(question: LinkQuestion): Promise<boolean> }): Promise<string> {
    await pause(500);
    const device = `d${'c5'.repeat(16)}`;
    if (!(await prompt.confirm({ user: ME, device }))) throw new Error('the link was declined');
    this.#devices = [...this.#devices, { device, this: false, createdAt: Date.now(), manages: false }];
    this.#changed({ devices: true });
    return device;
  }

  exportUser = async () => ({
    exportUser: { userId: ME, createdAt: new Date().toISOString(), listVersion: 1, deviceLists: [], devices: [] },
    mailbox: [],
  });
  async deleteUser(): Promise<void> {
    await pause(400);
  }

  receipts = async () => this.#receipts;
  async setReceipts(receipts: Receipts): Promise<void> {
    this.#receipts = receipts;
    this.#changed({ settings: true });
  }
  getSetting = async (name: string) => this.#settings.get(name);
  async setSetting(name: string, value: unknown): Promise<void> {
    this.#settings.set(name, value);
    this.#changed({ settings: true });
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
