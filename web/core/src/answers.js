// What the server answers, read as what was asked for. The server is not trusted: whatever else it says ends with `no-server`.
import { failure, LetterlockError } from './errors.js';

/** Bounds the lists of one answer: a page has a hundred of anything, a user has fewer devices. */
const MAX_LIST = 1000;
const MAX_INT = 2 ** 31 - 1;
/** Bounds the server's cursors, and what a device has left for another while they are being linked. */
const MAX_CURSOR = 1024;
const MAX_LINK = 16_384;

function object(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw failure('no-server');
  return value;
}

function list(value, read) {
  if (!Array.isArray(value) || value.length > MAX_LIST) throw failure('no-server');
  return value.map(read);
}

function text(value) {
  if (typeof value !== 'string') throw failure('no-server');
  return value;
}

/** The schema's Bytes, in their one spelling (docs/protocol.md, b64): what the device would not read is no answer. */
function bytes(value) {
  const last = ['', null, 'AQgw', 'AEIMQUYcgkosw048'][text(value).length % 4];
  if (last === null || /[^\w-]/.test(value) || (last && !last.includes(value.at(-1)))) throw failure('no-server');
  return value;
}

const bytesIfAny = (value) => (value === null || value === undefined ? value : bytes(value));

function count(value) {
  if (!Number.isSafeInteger(value) || value < 0) throw failure('no-server');
  return value;
}

/** A count that is an Int of the schema's. */
function int(value) {
  if (count(value) > MAX_INT) throw failure('no-server');
  return value;
}

const intIfAny = (value) => (value === null || value === undefined ? value : int(value));

/** The part of a user's chain that was asked for. */
export function readUser({ user }) {
  if (user === null || user === undefined) return { known: false, statements: [] };
  const { listVersion, deviceLists } = object(user);
  return {
    known: true,
    listVersion: int(listVersion),
    statements: list(deviceLists, (version) => bytes(object(version).statement)),
  };
}

/** How many envelopes of this device the server has accepted; undefined if it does not know the device. */
export function readAccepted({ viewer }) {
  return viewer === null || viewer === undefined ? undefined : count(object(viewer).acceptedCount);
}

/** The prekeys of this device that the server has. */
export function readPrekeyCount({ prekeyCount }) {
  const { oneTime, kemOneTime, signedNumber, kemLastResortNumber } = object(prekeyCount);
  return {
    oneTime: int(oneTime),
    kemOneTime: int(kemOneTime),
    signedNumber: intIfAny(signedNumber), // a device that has just registered has none
    kemLastResortNumber: intIfAny(kemLastResortNumber),
  };
}

/** Prekeys of somebody's devices. */
export function readPrekeys({ claimPrekeys }) {
  return list(object(claimPrekeys).sets, (set) => {
    const { deviceId, signed, oneTime, kem } = object(set);
    return { deviceId: text(deviceId), signed: bytes(signed), oneTime: bytesIfAny(oneTime), kem: bytes(kem) };
  });
}

/** What has become of a message: the answer must be about it, and about all of its envelopes. */
export function readReceipt(input, { sendMessage }) {
  const { messageId, acceptedAt, deliveries } = object(sendMessage);
  const devices = input.recipients.flatMap(({ envelopes }) => envelopes.map(({ deviceId }) => deviceId));
  const got = list(deliveries, (delivery) => {
    const { deviceId, status } = object(delivery);
    return { deviceId: text(deviceId), status: text(status) };
  });
  const fits =
    messageId === input.messageId && got.length === devices.length && got.every(({ deviceId }, i) => deviceId === devices[i]);
  if (!fits) throw new LetterlockError('no-server', 'the server’s answer is about another message');
  const full = got.filter(({ status }) => status !== 'STORED').map(({ deviceId }) => deviceId);
  return { acceptedAt: Date.parse(text(acceptedAt)) || Date.now(), full };
}

/** An envelope without what Apollo adds. */
export function readEnvelope(received) {
  const { id, cursor, messageId, senderUserId, senderDeviceId, kind, ciphertext, nonce } = object(received);
  if (text(cursor) === '' || cursor.length > MAX_CURSOR) {
    throw new LetterlockError('no-server', 'the server’s answer has no cursor that can be kept');
  }
  return {
    id: text(id),
    cursor,
    messageId: text(messageId),
    senderUserId: text(senderUserId),
    senderDeviceId: text(senderDeviceId),
    kind: text(kind),
    ciphertext: bytes(ciphertext),
    nonce: bytesIfAny(nonce),
  };
}

/** What lies in a step of a link slot; null if nothing does. */
export function readLink({ linkMessage }) {
  if (linkMessage === null || linkMessage === undefined) return null;
  if (text(linkMessage).length > MAX_LINK) throw failure('no-server');
  return bytes(linkMessage);
}

/** A page of what the server holds of the user. */
export function readExport({ exportUser }) {
  const { hasMore, deviceLists, devices, ...user } = object(exportUser);
  return { hasMore: hasMore === true, deviceLists: list(deviceLists, object), devices: list(devices, object), user };
}

/** A page of what waits in the mailbox. */
export function readMailbox({ mailbox }) {
  const { nodes, pageInfo } = object(mailbox);
  return { nodes: list(nodes, object), hasMore: object(pageInfo).hasNextPage === true };
}
