// R2: prekeys.
import { ascii, concat, flip, hex, seed, uint, unhex, x25519Key, zeros } from './protocol.mjs';
import { CREATED_AT, alice, bob, laptop, phone } from './people.mjs';
import { smallOrderU } from './identity_keys.mjs';
import { kemKey } from './session.mjs';

const SIGNED = 1, ONE_TIME = 2, KEM_ONE_TIME = 3, KEM_LAST_RESORT = 4;
const curve = x25519Key('a prekey').public;
const kem = kemKey(concat(seed('a KEM prekey, d'), seed('a KEM prekey, z'))).publicKey;

const fields = (kind, changes = {}) => ({
  kind, user: alice.raw, device: phone.raw, number: 7, createdAt: CREATED_AT, key: kind > ONE_TIME ? kem : curve,
  context: 'letterlock/prekey/v1', signer: phone.signing, ...changes,
});

function prekey(f) {
  const signed = concat(
    ascii(f.context), uint(1, f.kind), f.user, f.device, uint(4, f.number), uint(8, f.createdAt), f.key,
  );
  return concat(signed, f.signer.sign(signed));
}

/** Each is looked at as a prekey of alice's phone. */
export function prekeys() {
  const whose = { user: hex(alice.raw), signing: hex(phone.signing.public) };
  const ok = (name, kind, changes) => {
    const f = fields(kind, changes);
    const inputs = { signingSeed: hex(phone.signing.seed), kind: f.kind, number: f.number, createdAt: String(f.createdAt), key: hex(f.key) };
    return { name, rule: 'R2', statement: hex(prekey(f)), ...whose, inputs, expect: 'ok' };
  };
  const no = (name, rule, expect, statement) => ({ name, rule, statement: hex(statement), ...whose, expect });
  const bad = (name, rule, expect, changes, kind = SIGNED) => no(name, rule, expect, prekey(fields(kind, changes)));
  const good = prekey(fields(SIGNED));
  const goodKEM = prekey(fields(KEM_ONE_TIME));
  return [
    ok('signed', SIGNED),
    ok('one-time', ONE_TIME),
    ok('one-time KEM', KEM_ONE_TIME),
    ok('last-resort KEM', KEM_LAST_RESORT),
    ok('first number, created in 1970', SIGNED, { number: 1, createdAt: 0n }),
    ok('last number and instant', ONE_TIME, { number: 2 ** 32 - 1, createdAt: 2n ** 63n - 1n }),
    bad('other context', 'S1.2', 'prekey-form', { context: 'letterlock/prekey/v2' }),
    bad('kind 0', 'R2.1', 'prekey-kind', { kind: 0 }),
    bad('kind 5', 'R2.1', 'prekey-kind', { kind: 5 }),
    bad('number 0', 'R2.1', 'prekey-number', { number: 0 }),
    bad('instant out of range', 'N1', 'prekey-form', { createdAt: 2n ** 63n }),
    bad('of another user', 'R2.2', 'prekey-owner', { user: bob.raw }),
    bad('of another device', 'R2.2', 'prekey-owner', { device: laptop.raw, signer: laptop.signing }),
    bad('signed by another device', 'R2.2', 'signature', { signer: laptop.signing }),
    bad('signed by the user key', 'R2.2', 'signature', { signer: alice.key }),
    bad('key of small order', 'S2.4', 'key-low-order', { key: unhex(smallOrderU[2]) }),
    bad('key with its top bit', 'S2.3', 'key-not-canonical', { key: flip(curve, 31, 7) }),
    bad('KEM key out of range', 'R2.3', 'prekey-kem', { key: concat(unhex('ffff'), kem.subarray(2)) }, KEM_ONE_TIME),
    bad('X25519 key where a KEM key goes', 'R2.1', 'prekey-form', { key: curve }, KEM_LAST_RESORT),
    bad('KEM key where an X25519 key goes', 'R2.1', 'prekey-form', { key: kem }, SIGNED),
    no('one-time passed off as signed', 'R2.2', 'signature', flip(flip(prekey(fields(ONE_TIME)), 20, 0), 20, 1)),
    no('KEM one-time passed off as last-resort', 'R2.2', 'signature', flip(flip(flip(goodKEM, 20, 0), 20, 1), 20, 2)),
    no('number changed', 'R2.2', 'signature', flip(good, 64)),
    no('created at changed', 'R2.2', 'signature', flip(good, 72)),
    no('key changed', 'R2.2', 'signature', flip(good, 80)),
    no('KEM key changed', 'R2.2', 'signature', flip(goodKEM, 73 + 1183)),
    no('R changed', 'R2.2', 'signature', flip(good, 105)),
    no('S changed', 'R2.2', 'signature', flip(good, 137)),
    no('one byte missing', 'N1', 'prekey-form', good.subarray(0, -1)),
    no('one byte too many', 'N1', 'prekey-form', concat(good, zeros(1))),
    no('no bytes', 'N1', 'prekey-form', zeros(0)),
  ];
}
