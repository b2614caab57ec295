// The encodings of docs/protocol.md, written from that page and libsodium alone, so that they agree with the Go code only
// if the page says the same as the code. (SHA-256 is Node's: the small build of libsodium has none.)
// Nothing here refuses anything: the vectors need wrong statements, too.
import { createHash } from 'node:crypto';
import sodium from 'libsodium-wrappers';

await sodium.ready;

export const ascii = (text) => new TextEncoder().encode(text);
export const hex = (bytes) => sodium.to_hex(bytes);
export const unhex = (text) => sodium.from_hex(text);
export const b64 = (bytes) => sodium.to_base64(bytes, sodium.base64_variants.URLSAFE_NO_PADDING);
export const sha256 = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest());
export const zeros = (n) => new Uint8Array(n);

export function concat(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** An unsigned big-endian integer of `size` bytes. */
export function uint(size, value) {
  const bytes = zeros(size);
  let rest = BigInt(value);
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}

export const compare = (a, b) => sodium.compare(Uint8Array.from(a).reverse(), Uint8Array.from(b).reverse());

/** The same bytes with one bit changed. */
export function flip(bytes, offset, bit = 0) {
  const changed = Uint8Array.from(bytes);
  changed[offset < 0 ? bytes.length + offset : offset] ^= 1 << bit;
  return changed;
}

/** Lower-case RFC 4648 base32 without padding. */
export function b32(bytes) {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.match(/.{1,5}/g).map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(five.padEnd(5, '0'), 2)]).join('');
}

// Keys: each seed is a hash of a name, so that every run makes the same vectors.

export const seed = (name) => sha256(ascii(`letterlock test vectors: ${name}`));

export function signingKey(name) {
  const pair = sodium.crypto_sign_seed_keypair(seed(name));
  return {
    seed: seed(name),
    public: pair.publicKey,
    sign: (message) => sodium.crypto_sign_detached(message, pair.privateKey),
  };
}

/** An X25519 key: the private key is the seed itself. */
export const x25519Key = (name) => ({ seed: seed(name), public: sodium.crypto_scalarmult_base(seed(name)) });

// S3, S4: ids.

const rawId = (context, publicKey) => sha256(concat(ascii(context), publicKey)).subarray(0, 20);
export const rawUserId = (userKey) => rawId('letterlock/user/v1', userKey);
export const rawDeviceId = (key) => rawId('letterlock/device/v1', key);
export const userId = (userKey) => `u${b32(rawUserId(userKey))}`;
export const deviceId = (key) => `d${b32(rawDeviceId(key))}`;

export const BOX = 1;
export const SESSION = 2;

/** S4: an entry; `signer` signs and `signing.public` stands inside, the same key unless a vector says otherwise. */
export function entry({ user, signing, agreement, box, protocols, createdAt, context = 'letterlock/entry/v1', signer = signing }) {
  const signed = concat(
    ascii(context), user, signing.public, agreement, uint(2, protocols), uint(8, createdAt),
    protocols & BOX ? box : zeros(0),
  );
  return concat(signed, signer.sign(signed));
}

/** S3: a device list. Entries are statements and are put in order of device id unless `sort` is false. */
export function deviceList({
  user, version, previous, author, entries, count = entries.length, sort = true, signer = user, authorSigner = author,
  context = 'letterlock/device-list/v1',
}) {
  const id = (statement) => rawDeviceId(statement.subarray(39, 71));
  const ordered = sort ? [...entries].sort((a, b) => compare(id(a), id(b))) : entries;
  const signed = concat(
    ascii(context), user.public, uint(4, version), previous ?? zeros(32), rawDeviceId(author.public), uint(1, count), ...ordered,
  );
  return concat(signed, signer.sign(signed), authorSigner.sign(signed));
}

/** S6: a token of a header and claims, which are objects, or texts where a vector needs odd JSON. */
export function token(header, claims, sign) {
  const part = (value) => b64(ascii(typeof value === 'string' ? value : JSON.stringify(value)));
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${b64(sign(ascii(signed)))}`;
}

// C: content.

export function conversation(a, b, context = 'letterlock/conversation/v1') {
  const [lower, higher] = compare(a, b) <= 0 ? [a, b] : [b, a];
  return sha256(concat(ascii(context), lower, higher));
}

/** C3.1 */
export function paddedLength(n) {
  const e = Math.floor(Math.log2(n));
  const s = Math.floor(Math.log2(e)) + 1;
  const step = 2 ** (e - s);
  return Math.max(256, Math.ceil(n / step) * step);
}

export function content(c) {
  const all = concat(
    uint(1, c.version ?? 1), c.messageId,
    c.senderUser, c.senderDevice, c.recipientUser, c.recipientDevice,
    c.conversation, uint(8, c.counter),
    uint(4, c.senderListVersion), c.senderListHash, uint(4, c.recipientListVersion), c.recipientListHash,
    uint(8, c.sentAt), uint(1, c.bodyType), uint(4, c.bodyLength ?? c.body.length), c.body,
  );
  return concat(all, zeros((c.length ?? paddedLength(all.length)) - all.length));
}

// F: safety numbers.

const sha512 = (bytes) => new Uint8Array(createHash('sha512').update(bytes).digest());

/** F1: the 64 bytes of the iterated hash. */
export function safetyHash(userKey, rounds = 5200) {
  let hash = concat(ascii('letterlock/safety-number/v1'), userKey, rawUserId(userKey));
  for (let i = 0; i < rounds; i++) hash = sha512(concat(hash, userKey));
  return hash;
}

/** F2: the 30 digits of one side. */
export function safetyHalf(userKey) {
  const hash = safetyHash(userKey);
  const group = (i) => hash.subarray(5 * i, 5 * i + 5).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) % 100000n;
  return [0, 1, 2, 3, 4, 5].map((i) => group(i).toString().padStart(5, '0')).join('');
}

export const safetyDigits = (a, b) => [safetyHalf(a), safetyHalf(b)].sort().join('');

/** F3: what `own` shows. */
export const safetyCode = (own, peer, version = 1) => `letterlock-safety:${b64(concat(
  uint(1, version), safetyHash(own).subarray(0, 32), safetyHash(peer).subarray(0, 32),
))}`;
