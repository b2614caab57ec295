// S2, S3, S4: ids, public keys, signatures.
import sodium from 'libsodium-wrappers';
import { L, P, fromLittleEndian, littleEndian, onEdwards, onMontgomery } from './field.mjs';
import { ascii, b32, concat, deviceId, flip, hex, seed, signingKey, unhex, userId, x25519Key, zeros } from './protocol.mjs';
import { alice, phone } from './people.mjs';

export function ids() {
  const user = userId(alice.key.public);
  const refuse = (name, text, expect = 'user-id') => ({ name, rule: 'S3', kind: 'user', text, expect });
  return [
    { name: 'user', rule: 'S3', kind: 'user', key: hex(alice.key.public), text: user, expect: 'ok' },
    { name: 'device', rule: 'S4', kind: 'device', key: hex(phone.signing.public), text: deviceId(phone.signing.public), expect: 'ok' },
    { name: 'same key, other kind of id', rule: 'S4', kind: 'device', key: hex(alice.key.public), text: deviceId(alice.key.public), expect: 'ok' },
    refuse('device id as user id', deviceId(phone.signing.public)),
    { name: 'user id as device id', rule: 'S4', kind: 'device', text: user, expect: 'device-id' },
    refuse('upper-case letter', `U${user.slice(1)}`),
    refuse('upper-case base32', `u${user.slice(1).toUpperCase()}`),
    refuse('one character short', user.slice(0, -1)),
    refuse('one character long', `${user}a`),
    refuse('padded', `${user}======`),
    refuse('empty', ''),
    refuse('the letter alone', 'u'),
    refuse('a character outside base32', `${user.slice(0, -1)}1`),
    refuse('a line break within', `${user.slice(0, 10)}\n${user.slice(11)}`),
    refuse('a space in front', ` ${user.slice(0, -1)}`),
    refuse('a letter outside ASCII', `${user.slice(0, -2)}é`),
    refuse('hexadecimal', `u${hex(zeros(16))}`.slice(0, 33).replace(/0/g, '9')),
    { name: 'all-zero raw id', rule: 'S3', kind: 'user', text: `u${b32(zeros(20))}`, expect: 'ok' },
  ];
}

const smallOrderY = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
];

export const smallOrderU = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

const first = (from, fits) => {
  let n = from;
  while (!fits(n)) n++;
  return n;
};

export function keys() {
  const ed = (name, key, expect, rule = 'S2.1') => ({ name, rule, kind: 'ed25519', key: hex(key), expect });
  const x = (name, key, expect, rule = 'S2.3') => ({ name, rule, kind: 'x25519', key: hex(key), expect });
  const public_ = phone.signing.public;
  const offCurve = first(2n, (y) => !onEdwards(y));
  const onCurve = first(2n, onEdwards);
  const twist = first(2n, (u) => !onMontgomery(u));
  const cases = [
    ed('ordinary key', public_, 'ok'),
    ed('ordinary key, other sign', flip(public_, 31, 7), 'ok'),
    ed('small y on the curve', littleEndian(onCurve), 'ok'),
    ed('y off the curve', littleEndian(offCurve), 'key-not-on-curve'),
    ed('31 bytes', public_.subarray(0, 31), 'key-length'),
    ed('33 bytes', concat(public_, zeros(1)), 'key-length'),
    ed('no bytes', zeros(0), 'key-length'),
    x('ordinary key', phone.agreement.public, 'ok'),
    x('u on the twist', littleEndian(twist), 'ok', 'S2.4'),
    x('u = p - 2', littleEndian(P - 2n), 'ok'),
    x('top bit set', flip(phone.agreement.public, 31, 7), 'key-not-canonical'),
    x('31 bytes', phone.agreement.public.subarray(0, 31), 'key-length'),
    x('33 bytes', concat(phone.agreement.public, zeros(1)), 'key-length'),
    x('no bytes', zeros(0), 'key-length'),
  ];
  smallOrderY.forEach((y, i) => {
    cases.push(ed(`small order ${i}`, unhex(y), 'key-low-order'));
    cases.push(ed(`small order ${i}, other sign`, flip(unhex(y), 31, 7), 'key-low-order'));
  });
  smallOrderU.forEach((u, i) => cases.push(x(`small order ${i}`, unhex(u), 'key-low-order', 'S2.4')));
  for (let above = 0n; above < 19n; above++) {
    cases.push(ed(`y = p + ${above}`, littleEndian(P + above), 'key-not-canonical'));
    cases.push(x(`u = p + ${above}`, littleEndian(P + above), 'key-not-canonical'));
  }
  cases.push(ed('y = p, other sign', flip(littleEndian(P), 31, 7), 'key-not-canonical'));
  return cases;
}

/** A signature with the neutral element as R: valid by the equation alone, refused by S2.2. */
function neutralR(message) {
  const scalar = sodium.crypto_hash(phone.signing.seed).subarray(0, 32);
  scalar[0] &= 248;
  scalar[31] = (scalar[31] & 127) | 64;
  const r = littleEndian(1n);
  const k = fromLittleEndian(sodium.crypto_hash(concat(r, phone.signing.public, message))) % L;
  return concat(r, littleEndian((k * fromLittleEndian(scalar)) % L));
}

export function signatures() {
  const message = ascii('letterlock/');
  const signature = phone.signing.sign(message);
  const s = fromLittleEndian(signature.subarray(32));
  const make = (name, changes, expect = 'signature') => {
    const c = { key: phone.signing.public, message, signature, ...changes };
    // libsodium throws for signatures that are not 64 bytes.
    const accepted = c.signature.length === 64 && sodium.crypto_sign_verify_detached(c.signature, c.message, c.key);
    if (accepted !== (expect === 'ok')) throw new Error(`libsodium disagrees: ${name}`);
    return { name, rule: 'S2.2', key: hex(c.key), message: hex(c.message), signature: hex(c.signature), expect };
  };
  return [
    make('ordinary signature', {}, 'ok'),
    make('of no bytes', { message: zeros(0), signature: phone.signing.sign(zeros(0)) }, 'ok'),
    make('of another message', { message: flip(message, 0) }),
    make('by another key', { key: alice.key.public }),
    make('R changed', { signature: flip(signature, 0) }),
    make('S changed', { signature: flip(signature, 32) }),
    make('S plus the group order', { signature: concat(signature.subarray(0, 32), littleEndian(s + L)) }),
    make('R of small order', { signature: neutralR(message) }),
    make('all zero', { signature: zeros(64) }),
    make('63 bytes', { signature: signature.subarray(0, 63) }),
    make('65 bytes', { signature: concat(signature, zeros(1)) }),
    make('no bytes', { signature: zeros(0) }),
    make('key of small order', { key: littleEndian(1n), signature: concat(littleEndian(1n), zeros(32)) }),
  ];
}

export const seeds = () =>
  ['alice, user key', 'alice, phone, signing key', 'bob, user key'].map((name) => {
    const key = signingKey(name);
    return { name, rule: 'S1', kind: 'ed25519', seed: hex(seed(name)), key: hex(key.public), expect: 'ok' };
  }).concat(['alice, phone, agreement key', 'alice, phone, box key'].map((name) => (
    { name, rule: 'S1', kind: 'x25519', seed: hex(seed(name)), key: hex(x25519Key(name).public), expect: 'ok' }
  )));
