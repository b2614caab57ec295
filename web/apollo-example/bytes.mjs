// Bytes in and out, and the handful of libsodium's names that everything else here is built on.
import sodium from 'libsodium-wrappers-sumo';

await sodium.ready; // libsodium is WebAssembly: it has to be loaded before the first call

export { sodium };

const { URLSAFE_NO_PADDING } = sodium.base64_variants;

/** @param {Uint8Array} bytes @returns {string} the schema's `Bytes` */
export const toBase64 = (bytes) => sodium.to_base64(bytes, URLSAFE_NO_PADDING);

/** @param {string} text @returns {Uint8Array} throws on every spelling but the one that `toBase64` makes */
export const fromBase64 = (text) => sodium.from_base64(text, URLSAFE_NO_PADDING);

export const sha256 = (...parts) => sodium.crypto_hash_sha256(concat(...parts));

export const ascii = (text) => new TextEncoder().encode(text);

/** @param {...Uint8Array} parts */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export const equal = (a, b) => a.length === b.length && sodium.memcmp(a, b);

/** The order of bytes.Compare and memcmp: negative, zero or positive. */
export function compare(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return a.length - b.length;
}

/** Big-endian integers. */
export const u8 = (value) => Uint8Array.of(value);
export const u16 = (value) => number(2, (view) => view.setUint16(0, value));
export const u32 = (value) => number(4, (view) => view.setUint32(0, value));
export const u64 = (value) => number(8, (view) => view.setBigUint64(0, value));

function number(size, write) {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return bytes;
}

/** Instants are microseconds since 1970, as bigint. */
export const instantOf = (milliseconds) => BigInt(milliseconds) * 1000n;

/** Reads fields one after the other and throws where there are too few bytes. */
export class Reader {
  #bytes;
  #offset = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  take(size) {
    if (size > this.#bytes.length - this.#offset) throw new Error('too short');
    this.#offset += size;
    return this.#bytes.slice(this.#offset - size, this.#offset);
  }

  /** Everything that was read so far: what a signature that follows is over. */
  get taken() {
    return this.#bytes.slice(0, this.#offset);
  }

  get left() {
    return this.#bytes.length - this.#offset;
  }

  u8() {
    return this.take(1)[0];
  }

  u16() {
    return this.#view(2).getUint16(0);
  }

  u32() {
    return this.#view(4).getUint32(0);
  }

  u64() {
    return this.#view(8).getBigUint64(0);
  }

  instant() {
    const value = this.u64();
    if (value >= 2n ** 63n) throw new Error('an instant beyond 2^63 - 1');
    return value;
  }

  context(text) {
    if (!equal(this.take(text.length), ascii(text))) throw new Error(`not a ${text}`);
  }

  #view(size) {
    return new DataView(this.take(size).buffer);
  }
}
