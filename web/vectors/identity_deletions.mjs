// S7: a user's word that a server is to forget them.
import { ascii, concat, flip, hex, uint, unhex, zeros } from './protocol.mjs';
import { alice, bob, phone } from './people.mjs';
import { smallOrderU } from './identity_keys.mjs';

const ORIGIN = 'https://chat.example.org';

const fields = (changes = {}) => ({
  context: 'letterlock/user-deletion/v1', key: alice.key.public, version: 7, origin: ORIGIN, signer: alice.key, ...changes,
});

function deletion(f) {
  const origin = ascii(f.origin);
  const signed = concat(ascii(f.context), f.key, uint(4, f.version), uint(2, f.length ?? origin.length), origin);
  return concat(signed, f.signer.sign(signed));
}

export function deletions() {
  const ok = (name, changes) => {
    const f = fields(changes);
    return { name, rule: 'S7.1', statement: hex(deletion(f)), inputs: { userSeed: hex(f.signer.seed), version: f.version, origin: f.origin }, expect: 'ok' };
  };
  const no = (name, rule, expect, statement) => ({ name, rule, statement: hex(statement), expect });
  const bad = (name, rule, expect, changes) => no(name, rule, expect, deletion(fields(changes)));
  const good = deletion(fields());
  return [
    ok('good'),
    ok('another user', { key: bob.key.public, signer: bob.key }),
    ok('first version, a port', { version: 1, origin: 'http://localhost:8080' }),
    ok('last version, IPv6', { version: 2 ** 32 - 1, origin: 'http://[::1]:8080' }),
    bad('other context', 'S1.2', 'deletion-form', { context: 'letterlock/user-deletion/v2' }),
    bad('version 0', 'S7', 'list-version', { version: 0 }),
    bad('no origin', 'S6.3', 'deletion-form', { origin: '' }),
    bad('origin with a path', 'S6.3', 'deletion-form', { origin: `${ORIGIN}/` }),
    bad('origin in capitals', 'S6.3', 'deletion-form', { origin: 'https://Chat.example.org' }),
    bad('origin with the port of its scheme', 'S6.3', 'deletion-form', { origin: `${ORIGIN}:443` }),
    bad('origin that is too long', 'S7', 'deletion-form', { origin: `https://${'a.'.repeat(150)}example` }),
    bad('length of the origin too small', 'N1', 'deletion-form', { length: ORIGIN.length - 1 }),
    bad('length of the origin too large', 'N1', 'deletion-form', { length: ORIGIN.length + 1 }),
    bad('key of small order', 'S2.1', 'key-low-order', { key: unhex(smallOrderU[1]) }),
    bad('signed by another user', 'S7.1', 'signature', { signer: bob.key }),
    bad('signed by a device', 'S7.1', 'signature', { signer: phone.signing }),
    no('version changed', 'S7.1', 'signature', flip(good, 62)),
    no('S changed', 'S7.1', 'signature', flip(good, -20)),
    no('one byte missing', 'N1', 'deletion-form', good.subarray(0, -1)),
    no('one byte too many', 'N1', 'deletion-form', concat(good, zeros(1))),
    no('no bytes', 'N1', 'deletion-form', zeros(0)),
  ];
}
