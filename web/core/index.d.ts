// The types of @letterlock/core, written by hand: what a program may rely on.
import type { ApolloClient, ApolloLink } from '@apollo/client';

/** `u` and 32 characters: a user's name that proves their key. */
export type UserId = string;
/** `d` and 32 characters. */
export type DeviceId = string;
/** Milliseconds since 1970. */
export type Timestamp = number;

export interface Options {
  /** The server's origin, e.g. `https://chat.example.com`; the page's own if left out. */
  server?: string;
  /** Keeps several identities apart in one browser; `default` if left out. 1 to 32 of `a-z0-9-`. */
  profile?: string;
  /** Where the worker and the WebAssembly module lie, if a bundler has not placed them. */
  assets?: { worker?: URL | string; wasm?: URL | string };
}

/**
 * Opens the device of this browser. It talks to nobody. Several tabs of one origin share one device: one of them runs it (Web
 * Locks), the others follow that one, and one of these takes over when it goes.
 */
export function open(options?: Options): Promise<Letterlock>;

/** `empty`: no identity yet · `locked`: a passphrase is needed · `ready` · `closed`: signed out, or closed. */
export type Phase = 'empty' | 'locked' | 'ready' | 'closed';

export interface Status {
  phase: Phase;
  /** This tab runs the device; otherwise it follows the tab that does. */
  leads: boolean;
  /** Whether the records are locked with a passphrase, besides the key that the browser keeps. */
  passphrase: boolean;
  connection: Connection;
}

/**
 * `idle`: connect was not called · `connecting` · `online` · `waiting`: lost, tried again at `retryAt` · and for good, until
 * connect is called again: `superseded` (another place runs this device), `removed` (no longer on the user's list), `clock`
 * (this computer's clock is wrong), `failed`.
 */
export interface Connection {
  state: 'idle' | 'connecting' | 'online' | 'waiting' | 'superseded' | 'removed' | 'clock' | 'failed';
  retryAt?: Timestamp;
  /** What was in the way, for people. */
  reason?: string;
  /** The same for programs: `INVITE_REQUIRED` and the like. */
  code?: string;
}

export interface Self {
  user: UserId;
  device: DeviceId;
  createdAt: Timestamp;
  /** Whether this device holds the user key, and can link and unlink others. */
  manages: boolean;
}

export interface Message {
  /** Its place in the conversation, from 1. */
  number: number;
  /** A UUIDv7, or empty for what was not sealed yet. */
  id: string;
  peer: UserId;
  sender: UserId;
  device: DeviceId;
  outgoing: boolean;
  text: string;
  /** Only a newer client can show it; text is empty. */
  unsupported: boolean;
  sentAt: Timestamp;
  receivedAt: Timestamp;
  /** How many messages of the sending device just before this one have not come. */
  missing: number;
  marks: Mark[];
  state: 'received' | 'queued' | 'sent' | 'failed';
  failure?: Failure;
  deliveredAt?: Timestamp;
  readAt?: Timestamp;
}

export type Mark =
  | 'outdated-list' | 'removed-device' | 'sent-again' | 'new-device' | 'late' | 'repeated-counter' | 'partly-delivered';
export type Failure =
  | 'recipient-unknown' | 'recipient-needs-session' | 'own-device-needs-session' | 'recipient-needs-box' | 'prekeys-missing'
  | 'prekeys-refused' | 'list-refused' | 'mailbox-full' | 'in-doubt' | 'declined';

export interface Contact {
  name: string;
  user: UserId;
}

/** A line of the list of conversations: everybody with a history, a draft or a name. */
export interface Conversation {
  peer: UserId;
  /** The contact's name; empty for a stranger. */
  name: string;
  last?: Message;
  unread: number;
  draft: string;
  verified: boolean;
  /** Something has to be decided before anything can be sent: a changed name, or an alarm about a verified user. */
  blocked: boolean;
}

export interface Trust {
  verifiedAt?: Timestamp;
  changed?: { name: string; former: UserId; at: Timestamp };
  alarm?: Alarm;
  /** Why nothing may be sent, if so; `accept` or `verify` ends it. */
  blocked?: 'contact-changed' | 'contact-alarm';
}

export interface Alarm {
  user: UserId;
  reason: 'equivocation' | 'other-list' | 'rollback' | 'forged-prekey' | 'stale-prekey' | 'forged-list' | 'contact-changed';
  at: Timestamp;
  name?: string;
  former?: UserId;
}

export interface Refusal {
  reason: string;
  sender: string;
  at: Timestamp;
}

/** Exactly one of them is set. A message is one that came in, or one's own that has failed. */
export interface Notice {
  message?: Message;
  refusal?: Refusal;
  alarm?: Alarm;
}

export interface SafetyNumber {
  /** Twelve groups of five digits, with spaces: both users see the same. */
  digits: string;
  /** What the other user scans, or pastes. */
  code: string;
}

export interface Device {
  device: DeviceId;
  this: boolean;
  createdAt: Timestamp;
  /** Known to hold the user key. */
  manages: boolean;
}

/** Plain data, to be kept as JSON. */
export interface ServerExport {
  exportUser: { userId: UserId; createdAt: string; listVersion: number; deviceLists: object[]; devices: object[] };
  mailbox: object[];
}

export interface Receipts {
  delivered: boolean;
  read: boolean;
}

/** What changed, for whoever shows it: read again what you show. */
export interface Change {
  /** Peers whose history or conversation changed. */
  conversations: UserId[];
  contacts: boolean;
  devices: boolean;
  /** Users whose trust changed. */
  trust: UserId[];
  settings: boolean;
}

export interface Events {
  status: Status;
  change: Change;
  /** What came in, once each, after it is durable; what was never handed to a listener comes again after the next start. */
  notice: Notice;
}

export interface LinkQuestion {
  user: UserId;
  device: DeviceId;
}

/** An error with a code that programs can tell apart; its message is for people and says what was kept and what to do. */
export class LetterlockError extends Error {
  /** e.g. `passphrase-wrong`, `text-too-long`, `contact-taken`, `contact-changed`, `user-unknown`, `offline`, a server's ErrorCode. */
  readonly code: string;
}

export interface Letterlock {
  readonly server: string;
  status(): Status;
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => void): () => void;

  // Identity
  /**
   * Makes the keys of a new user with this first device. Nobody is asked for anything; a server that asks for an operator's invite gets
   * this one with the registration. If it is refused, with `INVITE_REQUIRED`, `setSetting('invite', …)` and `connect` try another.
   */
  create(options?: { passphrase?: string; invite?: string }): Promise<Self>;
  unlock(passphrase: string): Promise<void>;
  /** Locks the records with another passphrase; none if it is empty. `current` is asked for if there is one. */
  changePassphrase(passphrase: string, current?: string): Promise<void>;
  self(): Promise<Self>;
  /** Erases keys, history and settings of this profile from this browser, in all tabs. The other devices keep theirs. */
  signOut(): Promise<void>;
  /** Ends this tab's part; another tab takes over. */
  close(): Promise<void>;

  // Network: all of it goes through an Apollo Client.
  /** An Apollo link with this device's tokens: queries and mutations over HTTP, subscriptions over graphql-ws. */
  link(): ApolloLink;
  /** Registers, receives, sends what is queued, and does so again after whatever comes, until closed. */
  connect(client: ApolloClient): void;

  // Conversations
  conversations(): Promise<Conversation[]>;
  /** At most limit (1 to 500) messages with numbers below before (0: up to the newest), oldest first. */
  history(peer: UserId, before?: number, limit?: number): Promise<Message[]>;
  /** Takes a text into the history and the outbox, durably, and returns: it is sent once, as soon as that is possible, in order. The draft is gone. */
  send(peer: UserId, text: string): Promise<Message>;
  markRead(peer: UserId, upTo: number): Promise<void>;
  setDraft(peer: UserId, text: string): Promise<void>;
  /** The newest messages that hold the text, whatever its case, at most limit (1 to 200). */
  search(text: string, limit?: number): Promise<Message[]>;
  refusals(): Promise<Refusal[]>;

  // People
  contacts(): Promise<Contact[]>;
  addContact(name: string, user: UserId): Promise<void>;
  /** Makes a name stand for another user; nothing can be sent to them until `accept` or `verify`. */
  replaceContact(name: string, user: UserId): Promise<void>;
  removeContact(name: string): Promise<void>;
  /** From whom this device takes nothing, and since when, oldest first. */
  blocked(): Promise<{ user: UserId; at: Timestamp }[]>;
  /**
   * Takes nothing from a user any more: what comes from them is dropped unopened, by the server too once it was told, and `send` to them
   * fails with `blocked`. They are not told, and what was said stays. At most 1,000: `blocked-full`.
   */
  block(user: UserId): Promise<void>;
  /** Takes messages from a user again. What they sent meanwhile is lost. */
  unblock(user: UserId): Promise<void>;
  trust(user: UserId): Promise<Trust>;
  accept(user: UserId): Promise<void>;
  safetyNumber(user: UserId): Promise<SafetyNumber>;
  /** `shown` is the code that was scanned, or the 60 digits. */
  verify(user: UserId, shown: string): Promise<void>;
  unverify(user: UserId): Promise<void>;

  // Devices
  devices(): Promise<Device[]>;
  unlink(device: DeviceId): Promise<void>;
  /** On a new browser (phase `empty`): shows a code, asks, and ends as a device of an existing user. */
  join(prompt: { show(code: string, ends: Timestamp): void; confirm(question: LinkQuestion): Promise<boolean> }, options?: { passphrase?: string; signal?: AbortSignal }): Promise<Self>;
  /** On a device that manages: takes the code that the new one shows, asks, and links it. */
  linkDevice(code: string, prompt: { confirm(question: LinkQuestion): Promise<boolean> }, options?: { manage?: boolean; signal?: AbortSignal }): Promise<DeviceId>;

  // The account
  /**
   * What the server holds of this user, and the messages that wait there for this device: as the schema describes `exportUser` and
   * `mailbox`. What waits is sealed, and stays.
   */
  exportUser(): Promise<ServerExport>;
  /**
   * Has the server forget this user with all devices, for good: nobody reaches them there any more, and the id can't come back. What this
   * browser holds stays until `signOut`. Only a device that manages can: `no-user-key`. Doing it again changes nothing.
   */
  deleteUser(): Promise<void>;

  // Settings
  receipts(): Promise<Receipts>;
  setReceipts(receipts: Receipts): Promise<void>;
  /** A sealed place for the program's own settings, at most 16 KiB of JSON each; undefined if there is none. */
  getSetting(name: string): Promise<unknown>;
  setSetting(name: string, value: unknown): Promise<void>;
}

/** `https://host/#add=u…&name=…`: the part behind # never reaches a server. */
export function contactLink(base: string, user: UserId, name?: string): string;
/** Reads such a link or a bare user id; null if it is neither. */
export function parseContact(text: string): { user: UserId; name?: string } | null;
