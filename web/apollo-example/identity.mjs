// Who is who: keys, ids, signed device lists and tokens (docs/protocol.md, S1 to S6).
import { ascii, compare, concat, equal, instantOf, Reader, sha256, sodium, toBase64 } from './bytes.mjs';
import { u16, u32, u64, u8 } from './bytes.mjs';

const ENTRY = 'letterlock/entry/v1';
const DEVICE_LIST = 'letterlock/device-list/v1';
const SIGNATURE_BYTES = 64;
const MAX_DEVICES = 100;
const MAX_CHAIN_BYTES = 4 * 1024 * 1024; // S3.7
const TOKEN_SECONDS = 540; // S6.4
export const BOX = 1;
export const SESSION = 2;

// Ids (S3)

const rawUserId = (userKey) => sha256(ascii('letterlock/user/v1'), userKey).slice(0, 20);
const rawDeviceId = (signingKey) => sha256(ascii('letterlock/device/v1'), signingKey).slice(0, 20);

export const userIdOf = (raw) => `u${base32(raw)}`;
export const deviceIdOf = (raw) => `d${base32(raw)}`;

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** 20 bytes are 32 characters exactly: five bits each, none left over. */
function base32(raw) {
  let bits = raw.reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);
  let text = '';
  for (; text.length < 32; bits >>= 5n) text = alphabet[Number(bits & 31n)] + text;
  return text;
}

// A device of one's own

/**
 * @typedef {{publicKey: Uint8Array, privateKey: Uint8Array}} KeyPair
 * @typedef {object} Device a user's first device, with all private keys; keep it where only your user gets at it
 * @property {KeyPair} user @property {KeyPair} signing @property {KeyPair} agreement @property {KeyPair} box
 * @property {string} userId @property {string} id
 * @property {Chain} chain the user's own device lists
 */

/** Makes the keys of a new user with one device that accepts boxes, and signs its first list. @returns {Device} */
export function newDevice(now = Date.now()) {
  const keys = {
    user: sodium.crypto_sign_keypair(),
    signing: sodium.crypto_sign_keypair(),
    agreement: sodium.crypto_box_keypair(),
    box: sodium.crypto_box_keypair(),
  };
  const userId = userIdOf(rawUserId(keys.user.publicKey));
  const chain = new Chain(userId);
  chain.extend(signFirstList(keys, instantOf(now)));
  return { ...keys, userId, id: deviceIdOf(rawDeviceId(keys.signing.publicKey)), chain };
}

function signFirstList({ user, signing, agreement, box }, createdAt) {
  const entry = sign(
    concat(
      ascii(ENTRY),
      rawUserId(user.publicKey),
      signing.publicKey,
      agreement.publicKey,
      u16(BOX),
      u64(createdAt),
      box.publicKey,
    ),
    signing,
  );
  const list = concat(
    ascii(DEVICE_LIST),
    user.publicKey,
    u32(1),
    new Uint8Array(32), // there is no version before
    rawDeviceId(signing.publicKey),
    u8(1),
    entry,
  );
  return concat(sign(list, user), sodium.crypto_sign_detached(list, signing.privateKey));
}

const sign = (message, { privateKey }) => concat(message, sodium.crypto_sign_detached(message, privateKey));

/** A token for one server, good for nine minutes (S6). `now` is the time by the server's clock (S6.7). */
export function newToken(device, origin, now = Date.now()) {
  const seconds = Math.floor(now / 1000);
  const json = (value) => toBase64(ascii(JSON.stringify(value)));
  const header = json({ alg: 'EdDSA', kid: device.id, typ: 'letterlock-device+jwt' });
  const claims = json({ sub: device.userId, aud: origin, iat: seconds, exp: seconds + TOKEN_SECONDS });
  const signature = sodium.crypto_sign_detached(ascii(`${header}.${claims}`), device.signing.privateKey);
  return `${header}.${claims}.${toBase64(signature)}`;
}

// Other people's devices: verified, or refused

/**
 * @typedef {object} Entry what one device says of itself (S4)
 * @property {string} id @property {Uint8Array} rawId
 * @property {Uint8Array} signingKey @property {Uint8Array} agreementKey @property {Uint8Array} [boxKey]
 * @property {number} protocols @property {bigint} createdAt
 */

/** The verified device lists of one user, from version 1 on. What does not verify is never taken over. */
export class Chain {
  /**
   * @type {{version: number, hash: Uint8Array, user: Uint8Array, entries: Entry[], statement: Uint8Array,
   *   learntAt: number}[]}
   */
  #lists = [];

  /** @param {string} userId an id that was shared out of band: everything below it is checked against it */
  constructor(userId) {
    this.userId = userId;
  }

  get head() {
    return this.#lists.at(-1);
  }

  /** The 20 bytes behind the user id. */
  get rawUserId() {
    return this.head.user;
  }

  get version() {
    return this.#lists.length;
  }

  /** @returns {Uint8Array | undefined} SHA-256 of that version's statement */
  hash(version) {
    return this.#lists[version - 1]?.hash;
  }

  /** The device as it stood on one version. @returns {Entry | undefined} */
  entry(version, id) {
    return this.#lists[version - 1]?.entries.find((entry) => entry.id === id);
  }

  /** The device on all versions that list it, newest first, and since when it is no longer listed (C4). */
  device(id) {
    const at = this.#lists.findLastIndex((list) => list.entries.some((entry) => entry.id === id));
    if (at < 0) return undefined;
    const entries = this.#lists.flatMap((list) => list.entries.filter((entry) => entry.id === id)).reverse();
    return { entry: entries[0], entries, removedAt: this.#lists[at + 1]?.learntAt };
  }

  /** Takes over the next version, or throws and changes nothing (S3.1 to S3.4). */
  extend(statement, now = Date.now()) {
    const list = parseList(statement, this.userId);
    const held = this.#lists[list.version - 1];
    if (held && !equal(held.hash, list.hash)) throw new Error(`${this.userId} has two lists with one version (S3.4)`);
    if (held && held === this.head) return;
    if (list.version !== this.version + 1) throw new Error(`version ${list.version} does not follow ${this.version}`);
    const previous = this.head;
    if (previous && !equal(list.previous, previous.hash)) throw new Error(`${this.userId} has two chains (S3.4)`);
    const author = (previous ?? list).entries.find((entry) => equal(entry.rawId, list.author));
    if (!author) throw new Error('the author is not on the list before');
    verify(list.signature, list.signed, author.signingKey, 'the author');
    const bytes = this.#lists.reduce((sum, { statement: held }) => sum + held.length, statement.length);
    if (bytes > MAX_CHAIN_BYTES) throw new Error('a chain that is too long (S3.7)');
    for (const entry of list.entries) this.#checkHistory(entry);
    this.#lists.push({ ...list, statement, learntAt: now });
  }

  /** S4.4: along a chain a device keeps its agreement key, regains no protocol and does not come back. */
  #checkHistory(entry) {
    const known = this.device(entry.id);
    if (!known) return;
    const before = known.entry;
    const dropped = known.entries.reduce((bits, { protocols }) => bits | protocols, 0) & ~before.protocols;
    if (known.removedAt !== undefined) throw new Error('a removed device came back (S4.4)');
    if (!equal(before.agreementKey, entry.agreementKey)) throw new Error('an agreement key changed (S4.4)');
    if (before.createdAt !== entry.createdAt) throw new Error('a created-at changed (S4.4)');
    if ((entry.protocols & dropped) !== 0) throw new Error('a protocol that was dropped came back (S4.4)');
  }
}

/** Everything that one list shows by itself (S3, S4); `Chain` looks at what comes before it. */
export function parseList(statement, userId) {
  const reader = new Reader(statement);
  reader.context(DEVICE_LIST);
  const userKey = reader.take(32);
  const version = reader.u32();
  const previous = reader.take(32);
  const author = reader.take(20);
  const count = reader.u8();
  const user = rawUserId(userKey);
  if (userIdOf(user) !== userId) throw new Error(`the list is not ${userId}'s`);
  if (version === 0 || count === 0 || count > MAX_DEVICES) throw new Error('a version or a count out of bounds');
  const entries = Array.from({ length: count }, () => parseEntry(reader, user));
  for (let i = 1; i < count; i += 1) {
    if (compare(entries[i - 1].rawId, entries[i].rawId) >= 0) throw new Error('entries out of order');
  }
  refuseReuse(entries.flatMap(({ agreementKey, boxKey }) => (boxKey ? [agreementKey, boxKey] : [agreementKey])));
  if (entries.some(({ signingKey }) => equal(signingKey, userKey))) throw new Error('a user key as signing key (S1.1)');
  const first = version === 1;
  if (first && (count !== 1 || !equal(author, entries[0].rawId) || previous.some((byte) => byte !== 0))) {
    throw new Error('a first list has one entry, its author, and nothing before it (S3.2)');
  }
  const signed = reader.taken;
  verify(reader.take(SIGNATURE_BYTES), signed, userKey, 'the user');
  const signature = reader.take(SIGNATURE_BYTES);
  if (reader.left !== 0) throw new Error('too long');
  return { version, previous, author, entries, signed, signature, hash: sha256(statement), user };
}

/** S1.1, as far as a list can show it: no X25519 key stands on it twice. */
function refuseReuse(keys) {
  if (new Set(keys.map(toBase64)).size !== keys.length) throw new Error('one key serves two purposes (S1.1)');
}

/** Reads and verifies the entry that comes next. @param {Reader} list @param {Uint8Array} user raw id @returns {Entry} */
export function parseEntry(list, user) {
  const head = list.take(113);
  const reader = new Reader(head);
  reader.context(ENTRY);
  const owner = reader.take(20);
  const signingKey = reader.take(32);
  const agreementKey = x25519Key(reader.take(32));
  const protocols = reader.u16();
  const createdAt = reader.instant();
  const boxKey = (protocols & BOX) === 0 ? undefined : x25519Key(list.take(32));
  if (!equal(owner, user)) throw new Error("an entry is another user's");
  if ((protocols & (BOX | SESSION)) === 0) throw new Error('an entry accepts no protocol');
  if (boxKey) refuseReuse([agreementKey, boxKey]);
  verify(list.take(SIGNATURE_BYTES), concat(head, boxKey ?? u0), signingKey, 'the device');
  const rawId = rawDeviceId(signingKey);
  return { id: deviceIdOf(rawId), rawId, signingKey, agreementKey, boxKey, protocols, createdAt };
}

const u0 = new Uint8Array(0);

/** libsodium verifies by S2.2, and refuses the keys that S2.1 refuses. */
export function verify(signature, message, key, who) {
  if (!sodium.crypto_sign_verify_detached(signature, message, key)) throw new Error(`the signature of ${who} is wrong`);
}

// Keys from outside (S2)

const throwaway = sodium.crypto_box_keypair().privateKey;

/** S2.3: canonical. S2.4: of large order, found by agreeing with it once (libsodium throws on an all-zero result). */
export function x25519Key(bytes) {
  const canonical = compare(bytes.slice().reverse(), FIELD_PRIME) < 0;
  if (bytes.length !== 32 || !canonical) throw new Error('an X25519 key that is not canonical');
  sodium.crypto_scalarmult(throwaway, bytes);
  return bytes;
}

/** 2^255 - 19, big-endian. */
const FIELD_PRIME = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0x7f : i === 31 ? 0xed : 0xff));
