// Boxes: libsodium's crypto_box between two devices, and the check that what comes out belongs where it lay
// (docs/protocol.md, B and C1).
import { parse as parseUuid } from 'uuid';
import { equal, fromBase64, sodium, toBase64 } from './bytes.mjs';
import { conversationOf, COPY, decodeContent, encodeContent, NewerContent, TEXT } from './content.mjs';
import { BOX, deviceIdOf, SESSION, userIdOf } from './identity.mjs';

/** @typedef {import('./identity.mjs').Device} Device @typedef {import('./identity.mjs').Chain} Chain */

/** How long what a removed device has sent is still shown, with a mark (C4). */
const REMOVED_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * Seals one message for every device on the newest list of its recipient, and copies for one's own other devices.
 *
 * @param {Device} device the sender
 * @param {Chain} peer the recipient's verified lists
 * @param {{messageId: string, counter: bigint, sentAt: bigint, text: string}} message
 * @returns {object[]} the mutation's `recipients`
 */
export function seal(device, peer, message) {
  const self = partyOf(device.chain, device.id);
  const conversation = conversationOf(self.userId, peer.rawUserId);
  const common = { ...message, messageId: parseUuid(message.messageId), sender: self, conversation };
  const envelope = (chain, entry, content) => {
    const recipient = partyOf(chain, entry.id);
    const sealed = sealFor(device, entry, encodeContent({ ...common, ...content, recipient }));
    return { deviceId: entry.id, kind: 'BOX', ...sealed };
  };
  const originals = {
    userId: peer.userId,
    listVersion: peer.version,
    envelopes: peer.head.entries.map((entry) => envelope(peer, entry, { type: TEXT })),
  };
  const others = device.chain.head.entries.filter((entry) => entry.id !== device.id);
  if (others.length === 0) return [originals];
  const copies = {
    userId: device.userId,
    listVersion: device.chain.version,
    envelopes: others.map((entry) => envelope(device.chain, entry, { type: COPY, copyOf: peer.rawUserId })),
  };
  return [originals, copies];
}

function sealFor(device, entry, content) {
  if ((entry.protocols & SESSION) !== 0) throw new Error(`${entry.id} takes sessions, never boxes (B3)`);
  if ((entry.protocols & BOX) === 0) throw new Error(`${entry.id} takes no boxes (B1)`);
  const nonce = sodium.randombytes_buf(24);
  const ciphertext = sodium.crypto_box_easy(content, nonce, entry.boxKey, device.box.privateKey);
  return { ciphertext: toBase64(ciphertext), nonce: toBase64(nonce) };
}

/** The message is not what it claims to be, and will never be. */
export class Refused extends Error {}

/**
 * Opens a message from the server. It was made by `message.senderDeviceId` for this device, or it does not open; whether
 * it belongs where it lay is for `checkContext` and `checkKey` to say, which have to follow.
 *
 * @param {Device} device the recipient
 * @param {Chain} peer the sender's verified lists
 * @param {object} message the schema's Message
 * @throws {Refused | NewerContent}
 */
export function open(device, peer, message, now = Date.now()) {
  const known = peer.device(message.senderDeviceId);
  if (message.kind !== 'BOX') throw new Refused(`an envelope of kind ${message.kind}`);
  if (!known) throw new Refused('the sender has no such device (B1)');
  if (now - (known.removedAt ?? now) > REMOVED_MS) throw new Refused('from a device that was removed long ago (C4)');
  try {
    const { opened, boxKey } = openWithAny(boxKeys(known), message, device.box.privateKey);
    return { content: decodeContent(opened), boxKey, fromRemovedDevice: known.removedAt !== undefined };
  } catch (failure) {
    throw failure instanceof NewerContent ? failure : new Refused(failure.message, { cause: failure });
  }
}

/** A box key may have changed since the message was sealed (S4.4). Nearly always there is one. */
function boxKeys({ entries }) {
  const keys = entries.map(({ boxKey }) => boxKey).filter(Boolean);
  return keys.filter((key, i) => i === 0 || !equal(key, keys[i - 1]));
}

function openWithAny([boxKey, ...older], message, privateKey) {
  if (!boxKey) throw new Refused('sealed with no key of the sender (B1)');
  try {
    const [ciphertext, nonce] = [fromBase64(message.ciphertext), fromBase64(message.nonce)];
    return { opened: sodium.crypto_box_open_easy(ciphertext, nonce, boxKey, privateKey), boxKey };
  } catch {
    return openWithAny(older, message, privateKey);
  }
}

/**
 * C1.1: the content says of itself what the envelope says. The chains have to reach the list versions that the
 * content names (C2.1).
 *
 * @throws {Refused}
 */
export function checkContext(device, peer, message, content) {
  const { sender, recipient } = content;
  const agree = (same, what) => {
    if (!same) throw new Refused(`the content names another ${what} (C1.1)`);
  };
  agree(equal(content.messageId, parseUuid(message.messageId)), 'message');
  agree(userIdOf(sender.userId) === peer.userId && peer.userId === message.senderUserId, 'sender');
  agree(deviceIdOf(sender.deviceId) === message.senderDeviceId, 'sending device');
  agree(userIdOf(recipient.userId) === device.userId, 'recipient');
  agree(deviceIdOf(recipient.deviceId) === device.id, 'receiving device');
  agree(holds(peer, sender) && peer.entry(sender.listVersion, message.senderDeviceId), "list of the sender's");
  agree(holds(device.chain, recipient) && device.chain.entry(recipient.listVersion, device.id), 'list of ours');
}

/**
 * B1: the key that opened the box is the one on the list version that the content names: a key that was replaced, perhaps
 * because it was stolen, seals for no later list. To be called when the chain reaches that version.
 *
 * @throws {Refused}
 */
export function checkKey(peer, message, content, boxKey) {
  const entry = peer.entry(content.sender.listVersion, message.senderDeviceId);
  if (!entry?.boxKey || !equal(entry.boxKey, boxKey)) throw new Refused('sealed with a key of another list (B1)');
}

function holds(chain, party) {
  const hash = chain.hash(party.listVersion);
  return hash !== undefined && equal(hash, party.listHash);
}

function partyOf(chain, deviceId) {
  const { entry } = chain.device(deviceId);
  return { userId: chain.rawUserId, deviceId: entry.rawId, listVersion: chain.version, listHash: chain.head.hash };
}
