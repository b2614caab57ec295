// What is sealed: a message with everything that it is bound to (docs/protocol.md, C).
import { ascii, compare, concat, equal, Reader, sha256, u32, u64, u8 } from './bytes.mjs';

const HEADER_BYTES = 222;
const MAX_BYTES = 63_488;
const MAX_TEXT_BYTES = 60_000;
export const TEXT = 1;
export const COPY = 2;

/**
 * @typedef {{userId: Uint8Array, deviceId: Uint8Array, listVersion: number, listHash: Uint8Array}} Party raw ids
 * @typedef {object} Content
 * @property {Uint8Array} messageId 16 bytes
 * @property {Party} sender @property {Party} recipient
 * @property {Uint8Array} conversation
 * @property {bigint} counter counts the sending device's messages in the conversation, from 1 (C1.2)
 * @property {bigint} sentAt microseconds since 1970, by the sender's clock
 * @property {number} type TEXT, COPY, or a type that this version does not know (C1.4)
 * @property {string} [text] @property {Uint8Array} [copyOf] raw user id of the original's recipient
 */

/** The same for both directions: the lower raw user id comes first. */
export function conversationOf(a, b) {
  const [lower, higher] = compare(a, b) <= 0 ? [a, b] : [b, a];
  return sha256(ascii('letterlock/conversation/v1'), lower, higher);
}

/** @param {Content} content @returns {Uint8Array} padded */
export function encodeContent({ messageId, sender, recipient, conversation, counter, sentAt, type, text, copyOf }) {
  const utf8 = ascii(text);
  if (utf8.length === 0 || utf8.length > MAX_TEXT_BYTES) throw new Error(`a text has 1 to ${MAX_TEXT_BYTES} bytes`);
  const body = type === COPY ? concat(copyOf, utf8) : utf8;
  const content = concat(
    u8(1),
    messageId,
    sender.userId,
    sender.deviceId,
    recipient.userId,
    recipient.deviceId,
    conversation,
    u64(counter),
    u32(sender.listVersion),
    sender.listHash,
    u32(recipient.listVersion),
    recipient.listHash,
    u64(sentAt),
    u8(type),
    u32(body.length),
    body,
  );
  return concat(content, new Uint8Array(paddedLength(content.length) - content.length));
}

/** Throws on what `encodeContent` would not make (N1). @returns {Content} */
export function decodeContent(bytes) {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== 1) throw new NewerContent(`content version ${version}`);
  const messageId = reader.take(16);
  const ids = Array.from({ length: 4 }, () => reader.take(20));
  const conversation = reader.take(32);
  const counter = reader.u64();
  const sender = { userId: ids[0], deviceId: ids[1], listVersion: reader.u32(), listHash: reader.take(32) };
  const recipient = { userId: ids[2], deviceId: ids[3], listVersion: reader.u32(), listHash: reader.take(32) };
  const sentAt = reader.instant();
  const type = reader.u8();
  const body = reader.take(reader.u32());
  if (counter === 0n || sender.listVersion === 0 || recipient.listVersion === 0) throw new Error('a number below 1');
  if (messageId[6] >> 4 !== 7 || messageId[8] >> 6 !== 2) throw new Error('the message id is no UUIDv7');
  if (bytes.length !== paddedLength(HEADER_BYTES + body.length)) throw new Error('padded to another length (C3.1)');
  if (reader.take(reader.left).some((byte) => byte !== 0)) throw new Error('padding that is not zero (C3.1)');
  const content = { messageId, sender, recipient, conversation, counter, sentAt, type, ...decodeBody(type, body) };
  const partner = content.copyOf ?? sender.userId;
  const told = type === TEXT || type === COPY; // whose conversation it is; of another body nobody here can say
  if (told && !equal(conversation, conversationOf(recipient.userId, partner))) {
    throw new Error('the conversation of others (C1.1)');
  }
  if (equal(sender.deviceId, recipient.deviceId)) throw new Error('from the receiving device itself (C1.1)');
  if (type === COPY && !equal(sender.userId, recipient.userId)) throw new Error("another user's copy (C1.3)");
  return content;
}

/** What a newer client may understand: kept and shown as that, not refused (C1.4). */
export class NewerContent extends Error {}

function decodeBody(type, body) {
  if (type === TEXT) return { text: decodeText(body) };
  if (type === COPY) {
    const reader = new Reader(body);
    return { copyOf: reader.take(20), text: decodeText(reader.take(reader.left)) };
  }
  return {};
}

function decodeText(bytes) {
  if (bytes.length === 0 || bytes.length > MAX_TEXT_BYTES) throw new Error('a text of a length that is refused');
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** C3.1: at least 256 bytes, then Padmé, which leaks O(log log n) bits of a length. */
export function paddedLength(length) {
  const atLeast = Math.max(256, length);
  const exponent = Math.floor(Math.log2(atLeast));
  const step = 2 ** (exponent - (Math.floor(Math.log2(exponent)) + 1));
  const padded = Math.ceil(atLeast / step) * step;
  if (padded > MAX_BYTES) throw new Error('content that is too long');
  return padded;
}
