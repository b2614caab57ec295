// The users and devices that the vectors are about.
import { BOX, SESSION, deviceList, entry, rawDeviceId, rawUserId, sha256, signingKey, x25519Key } from './protocol.mjs';

/** 2026-01-02T03:04:05.000006Z in microseconds. */
export const CREATED_AT = 1767323045000006n;

export function person(name) {
  const key = signingKey(`${name}, user key`);
  return { name, key, raw: rawUserId(key.public) };
}

export function device(owner, name) {
  const full = `${owner.name}, ${name}`;
  const signing = signingKey(`${full}, signing key`);
  return {
    name: full,
    owner,
    signing,
    agreement: x25519Key(`${full}, agreement key`),
    box: x25519Key(`${full}, box key`),
    raw: rawDeviceId(signing.public),
  };
}

/** The arguments of an entry of this device; `changes` go over them. */
export function fields(d, changes = {}) {
  return {
    user: d.owner.raw, signing: d.signing, agreement: d.agreement.public, box: d.box.public, protocols: BOX, createdAt: CREATED_AT,
    ...changes,
  };
}

export const entryOf = (d, changes) => entry(fields(d, changes));

/** The list after `before`, by `author`, with entries of devices (or entry statements as they are). */
export function listOf(owner, before, author, devices, changes = {}) {
  return deviceList({
    user: owner.key,
    version: before ? versionOf(before) + 1 : 1,
    previous: before && sha256(before),
    author: author.signing,
    entries: devices.map((d) => (d instanceof Uint8Array ? d : entryOf(d))),
    ...changes,
  });
}

export const versionOf = (list) => new DataView(list.buffer, list.byteOffset).getUint32(57);

export const alice = person('alice');
export const bob = person('bob');
export const phone = device(alice, 'phone');
export const laptop = device(alice, 'laptop');
export const tablet = device(alice, 'tablet');
export const desk = device(bob, 'desk');
export { BOX, SESSION };
