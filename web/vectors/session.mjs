// R of docs/protocol.md, written from that page: PQXDH, and the Double Ratchet with header encryption. It decides what the
// vectors say is refused, so that the Go code must refuse the same.
import { createHmac, hkdfSync } from 'node:crypto';
import sodium from 'libsodium-wrappers';
import { ml_kem768 as kem } from '@noble/post-quantum/ml-kem.js';
import { P, fromLittleEndian } from './field.mjs';
import { ascii, concat, hex, rawUserId, sha256, uint, zeros } from './protocol.mjs';

export const ONE_TIME_KEM = 3;
export const LAST_RESORT_KEM = 4;
export const PREAMBLE = 1134;
const MAX_SKIP = 1000;
const MAX_CHAINS = 5;
const MAX_KEPT = 2000;
const HEADER = 24 + 40 + 16;

/** Why something is refused, by the word that the vectors use. */
export class Refused extends Error {}

const refuse = (why) => {
  throw new Refused(why);
};

const hkdf = (secret, salt, info) => {
  const keys = new Uint8Array(hkdfSync('sha256', secret, salt, info, 96));
  return [keys.subarray(0, 32), keys.subarray(32, 64), keys.subarray(64)];
};

const hmac = (key, byte) => new Uint8Array(createHmac('sha256', key).update(Uint8Array.of(byte)).digest());

/** S2.3, S2.4: the agreement of a private and a public key. */
export function agree(own, peer) {
  if (fromLittleEndian(peer) >= P) refuse('key-not-canonical');
  try {
    return sodium.crypto_scalarmult(own, peer);
  } catch {
    return refuse('key-low-order');
  }
}

// R1: PQXDH.

export const kemKey = (seed64) => kem.keygen(seed64);
export const encapsulate = (key, random) => {
  const { cipherText, sharedSecret } = kem.encapsulate(key, random);
  return { ciphertext: cipherText, shared: sharedSecret };
};
export const decapsulate = (ciphertext, secretKey) => kem.decapsulate(ciphertext, secretKey);

/** R1.5: the associated data, of what both sides know. A member is {user, device, agreement}: keys, and the raw device id. */
export function associatedData(starter, answerer, p, keys) {
  const member = (m) => concat(m.user, rawUserId(m.user), m.device, m.agreement);
  return sha256(concat(
    ascii('letterlock/session/v1'), uint(1, 1), member(starter), member(answerer),
    uint(4, p.signed), keys.signed, uint(4, p.oneTime), p.oneTime ? keys.oneTime : zeros(0),
    uint(1, p.kemKind), uint(4, p.kem), keys.kem, p.ephemeral, p.ciphertext,
  ));
}

/** R1.4: root key, starter's header key, answerer's next header key. */
export function agreedKeys(dhs, kemShared, associated) {
  const secret = concat(new Uint8Array(32).fill(0xff), ...dhs, kemShared);
  return hkdf(secret, zeros(32), concat(ascii('letterlock/pqxdh/v1 X25519 SHA-256 ML-KEM-768'), associated));
}

export const preamble = (p) => concat(
  uint(1, 1), p.ephemeral, uint(4, p.signed), uint(4, p.oneTime), uint(1, p.kemKind), uint(4, p.kem), p.ciphertext,
);

/** R1.8: a SESSION_START taken apart. */
export function parseStart(envelope) {
  if (envelope.length < 1) refuse('forged');
  if (envelope[0] !== 1) refuse('session-version');
  if (envelope.length < PREAMBLE + 121) refuse('forged');
  const view = new DataView(envelope.buffer, envelope.byteOffset);
  const p = {
    ephemeral: envelope.slice(1, 33), signed: view.getUint32(33), oneTime: view.getUint32(37), kemKind: envelope[41],
    kem: view.getUint32(42), ciphertext: envelope.slice(46, PREAMBLE),
  };
  if (!p.signed || !p.kem || (p.kemKind !== ONE_TIME_KEM && p.kemKind !== LAST_RESORT_KEM)) refuse('forged');
  agree(zeros(32), p.ephemeral);
  return { preamble: p, message: envelope.slice(PREAMBLE) };
}

/** The answerer's four agreements, in the order of R1.3. `prekeys` holds seeds. */
export function answererAgreements(own, starter, p, prekeys) {
  const dhs = [agree(prekeys.signed, starter.agreement), agree(own, p.ephemeral), agree(prekeys.signed, p.ephemeral)];
  if (p.oneTime) dhs.push(agree(prekeys.oneTime, p.ephemeral));
  return dhs;
}

// R3: the Double Ratchet.

/** KDF_RK */
export const ratchetRoot = (root, own, peer) => hkdf(agree(own, peer), root, ascii('letterlock/ratchet/v1'));
/** KDF_CK: message key and next chain key. */
export const advance = (chain) => [hmac(chain, 1), hmac(chain, 2)];

const seal = (key, nonce, associated, plaintext) => concat(
  nonce, sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated, null, nonce, key),
);

function open(key, associated, sealed) {
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, sealed.subarray(24), associated, sealed.subarray(0, 24), key);
  } catch {
    return null;
  }
}

export const sealHeader = (key, nonce, associated, ratchet, previous, number) => seal(
  key, nonce, associated, concat(ratchet, uint(4, previous), uint(4, number)),
);

const publicOf = (seed) => sodium.crypto_scalarmult_base(seed);

/** A message of R3.2; `header` is what an honest sender puts in. */
export function sealMessage(associated, headerKey, messageKey, random, header, plaintext) {
  const sealed = sealHeader(headerKey, random.subarray(0, 24), associated, header.ratchet, header.previous, header.number);
  return concat(uint(1, 1), sealed, seal(messageKey, random.subarray(24, 48), concat(associated, sealed), plaintext));
}

/** The sending half of a turn. */
function turn(s, seed, peer) {
  const [root, chain, next] = ratchetRoot(s.root, seed, peer);
  s.sending = { header: s.nextSending, chain, next: 0, previous: s.sending ? s.sending.next : 0 };
  Object.assign(s, { seed, root, nextSending: next });
}

export function starterSession(associated, [root, starterHeader, answererHeader], signedPrekey, preambleBytes, ratchetSeed) {
  const s = { associated, root, nextReceiving: answererHeader, nextSending: starterHeader, receiving: [], preamble: preambleBytes };
  turn(s, ratchetSeed, signedPrekey);
  return s;
}

export const answererSession = (associated, [root, starterHeader, answererHeader], signedSeed) => ({
  associated, root, seed: signedSeed, nextReceiving: starterHeader, nextSending: answererHeader, receiving: [], preamble: zeros(0),
});

/** R3.3; 48 random bytes. */
export function encrypt(s, random, plaintext) {
  const [key, next] = advance(s.sending.chain);
  const header = { ratchet: publicOf(s.seed), previous: s.sending.previous, number: s.sending.next };
  const message = sealMessage(s.associated, s.sending.header, key, random, header, plaintext);
  s.sending.chain = next;
  s.sending.next += 1;
  return concat(s.preamble, message);
}

/** R3.4: what a message says. `random` are the 32 bytes of the next ratchet key, should the message turn. */
export function decrypt(s, random, now, message) {
  const tried = structuredClone(s);
  const plaintext = receive(tried, random, now, message);
  Object.assign(s, tried);
  return plaintext;
}

function receive(s, random, now, message) {
  if (message.length < 1) refuse('forged');
  if (message[0] !== 1) refuse('session-version');
  if (message.length < 121 || message.length > 121 + 63488) refuse('forged');
  const sealedHeader = message.subarray(1, 1 + HEADER);
  const openBody = (key) => open(key, concat(s.associated, sealedHeader), message.subarray(1 + HEADER)) ?? refuse('forged');
  for (const [i, chain] of s.receiving.entries()) {
    const header = readHeader(open(chain.header, s.associated, sealedHeader));
    if (!header) continue;
    if (hex(header.ratchet) !== hex(chain.ratchet)) refuse('forged');
    if (header.number < chain.next) return openKept(chain, header.number, now, openBody);
    if (i > 0) refuse('forged');
    const plaintext = openBody(skipTo(chain, header.number, now));
    received(s, now);
    return plaintext;
  }
  const header = readHeader(open(s.nextReceiving, s.associated, sealedHeader));
  if (!header) refuse('forged');
  if (s.receiving.length) keep(s.receiving[0], Math.max(header.previous, s.receiving[0].next), now);
  const [root, key, next] = ratchetRoot(s.root, s.seed, header.ratchet);
  const chain = { header: s.nextReceiving, ratchet: header.ratchet, key, next: 0, kept: [] };
  const plaintext = openBody(skipTo(chain, header.number, now));
  Object.assign(s, { root, nextReceiving: next });
  turn(s, random, header.ratchet);
  s.receiving.unshift(chain);
  received(s, now);
  return plaintext;
}

function readHeader(bytes) {
  if (!bytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { ratchet: bytes.slice(0, 32), previous: view.getUint32(32), number: view.getUint32(36) };
}

function openKept(chain, number, now, openBody) {
  const at = chain.kept.findIndex((kept) => kept.number === number);
  if (at < 0 || chain.kept[at].since < now - 30 * 86400) refuse('key-used');
  const plaintext = openBody(chain.kept[at].key);
  chain.kept.splice(at, 1);
  return plaintext;
}

function keep(chain, upTo, now) {
  if (upTo - chain.next > MAX_SKIP || upTo === 2 ** 32 - 1) refuse('too-far-ahead');
  while (chain.next < upTo) {
    const [key, next] = advance(chain.key);
    chain.kept.push({ number: chain.next, key, since: now });
    chain.key = next;
    chain.next += 1;
  }
}

function skipTo(chain, number, now) {
  keep(chain, number, now);
  const [key, next] = advance(chain.key);
  chain.key = next;
  chain.next += 1;
  return key;
}

/** R4: the bounds. */
function received(s, now) {
  s.preamble = zeros(0);
  s.receiving.splice(MAX_CHAINS);
  let room = MAX_KEPT;
  for (const chain of s.receiving) {
    chain.kept = chain.kept.filter((kept) => kept.since >= now - 30 * 86400);
    chain.kept.splice(0, Math.max(0, chain.kept.length - room));
    room -= chain.kept.length;
  }
}
