// F: safety numbers, and what is compared with them.
import { b64, concat, hex, safetyCode, safetyDigits, safetyHash, signingKey, zeros } from './protocol.mjs';

const key = (name) => signingKey(`${name}, user key`).public;
const [alice, bob, mallory, carol] = ['alice', 'bob', 'mallory', 'carol'].map(key);

const number = (name, own, peer) => ({
  kind: 'number', name, rule: 'F2', own: hex(own), peer: hex(peer), ownHash: hex(safetyHash(own)), peerHash: hex(safetyHash(peer)),
  digits: safetyDigits(own, peer), code: safetyCode(own, peer), expect: 'ok',
});

/** Numbers of pairs of keys; each pair from both sides. */
export function numbers() {
  const some = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => key(`safety ${i}`));
  return [
    number('alice sees bob', alice, bob), number('bob sees alice', bob, alice),
    number('alice sees mallory', alice, mallory), number('mallory sees bob', mallory, bob),
    ...some.map((peer, i) => number(`alice sees ${i}`, alice, peer)),
    ...some.map((own, i) => number(`${i} sees alice`, own, alice)),
  ];
}

/** What bob sees, compared with what is shown to him. */
export function comparisons() {
  const compare = (name, rule, expect, shown) => ({ kind: 'compare', name, rule, own: hex(bob), peer: hex(alice), shown, expect });
  const digits = safetyDigits(alice, bob);
  const grouped = digits.match(/.{5}/g).join(' ');
  const good = safetyCode(alice, bob);
  const raw = (bytes) => `letterlock-safety:${b64(bytes)}`;
  const hashes = concat(safetyHash(alice).subarray(0, 32), safetyHash(bob).subarray(0, 32));
  const digit = (at) => `${digits.slice(0, at)}${(Number(digits[at]) + 1) % 10}${digits.slice(at + 1)}`;
  return [
    compare('the code', 'F4', 'ok', good),
    compare('the code between spaces', 'F4', 'ok', ` ${good}\n`),
    compare('the digits', 'F4', 'ok', digits),
    compare('the digits in groups', 'F4', 'ok', grouped),
    compare('the digits on two lines', 'F4', 'ok', `${grouped.slice(0, 35)}\n${grouped.slice(36)}\n`),
    compare('first digit', 'F4', 'safety-mismatch', digit(0)),
    compare('digit in the middle', 'F4', 'safety-mismatch', digit(30)),
    compare('last digit', 'F4', 'safety-mismatch', digit(59)),
    compare('halves swapped', 'F2', 'safety-mismatch', digits.slice(30) + digits.slice(0, 30)),
    compare('digits of others', 'F4', 'safety-mismatch', safetyDigits(mallory, carol)),
    compare('59 digits', 'F4', 'safety-text', digits.slice(1)),
    compare('61 digits', 'F4', 'safety-text', `${digits}0`),
    compare('a letter', 'F4', 'safety-text', `${digits.slice(1)}O`),
    compare('dashes', 'F4', 'safety-text', grouped.replaceAll(' ', '-')),
    compare('a space that is not ASCII', 'F4', 'safety-text', `${digits.slice(0, 30)}\u00a0${digits.slice(30)}`),
    compare('digits of another script', 'F4', 'safety-text', `${digits.slice(1)}\u0661`),
    compare('nothing', 'F4', 'safety-text', ''),
    compare('own code', 'F4', 'safety-own-code', safetyCode(bob, alice)),
    compare('somebody else who talks with bob', 'F4', 'safety-mismatch', safetyCode(mallory, bob)),
    compare('alice holds another key for bob', 'F4', 'safety-mismatch', safetyCode(alice, mallory)),
    compare('code of others', 'F4', 'safety-others', safetyCode(mallory, carol)),
    { ...compare('mallory stands between', 'F4', 'safety-others', safetyCode(alice, mallory)), peer: hex(carol) },
    compare('alice talks with herself', 'F4', 'safety-mismatch', safetyCode(alice, alice)),
    compare('version 0', 'F3', 'safety-version', safetyCode(alice, bob, 0)),
    compare('version 2', 'F3', 'safety-version', safetyCode(alice, bob, 2)),
    compare('version 2 of another length', 'F3', 'safety-version', raw(new Uint8Array([2, 1]))),
    compare('cut short', 'F3', 'safety-text', raw(concat(new Uint8Array([1]), hashes.subarray(0, 63)))),
    compare('one byte too many', 'F3', 'safety-text', raw(concat(new Uint8Array([1]), hashes, zeros(1)))),
    compare('no bytes', 'F3', 'safety-text', 'letterlock-safety:'),
    compare('padded', 'F3', 'safety-text', `${good}=`),
    compare('a line break inside', 'F3', 'safety-text', `${good.slice(0, 40)}\n${good.slice(40)}`),
    compare('another prefix', 'F3', 'safety-text', good.replace('safety', 'link')),
    compare('upper-case prefix', 'F3', 'safety-text', good.replace('letterlock', 'LETTERLOCK')),
    compare('first byte of the own hash', 'F4', 'safety-mismatch', raw(concat(new Uint8Array([1, hashes[0] ^ 1]), hashes.subarray(1)))),
    compare('last byte of the peer\'s hash', 'F4', 'safety-mismatch', raw(concat(new Uint8Array([1]), hashes.subarray(0, 63), new Uint8Array([hashes[63] ^ 1])))),
  ];
}
