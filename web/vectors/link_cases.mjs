// L: links. Two devices, and everything that lies in the slot.
import { hkdfSync } from 'node:crypto';
import sodium from 'libsodium-wrappers';
import {
  ascii, b32, concat, entry, flip, hex, seed, sha256, signingKey, uint, x25519Key, zeros,
} from './protocol.mjs';
import { BOX, CREATED_AT, SESSION, alice } from './people.mjs';

const nonceOf = (name) => seed(`link nonce ${name}`).subarray(0, 24);

/** One link: the new device takes `protocols`; `manage` hands it the user key. */
function link(name, protocols, manage) {
  const signing = signingKey(`${name}, signing`);
  const agreement = x25519Key(`${name}, agreement`);
  const box = x25519Key(`${name}, box`);
  const transfer = x25519Key(`${name}, transfer`);
  const ephemeral = x25519Key(`${name}, ephemeral`);
  const secret = seed(`${name}, secret`).subarray(0, 16);
  const keys = concat(
    signing.public, agreement.public, uint(2, protocols), protocols & BOX ? box.public : zeros(0), transfer.public,
  );
  const keysHash = sha256(concat(ascii('letterlock/link-keys/v1'), keys)).subarray(0, 20);
  const agreed = sodium.crypto_scalarmult(ephemeral.seed, transfer.public);
  const seal = (step, plaintext) => {
    const info = concat(ascii('letterlock/link/v1'), uint(1, step), keysHash, ephemeral.public);
    const key = new Uint8Array(hkdfSync('sha256', agreed, secret, info, 32));
    const nonce = nonceOf(`${name} ${step}`);
    const sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, concat(keysHash, uint(1, step)), null, nonce, key);
    return concat(nonce, sealed);
  };
  const list = sha256(ascii(`${name}, list`));
  const grant = concat(uint(4, 8), list, uint(1, manage ? 1 : 0), manage ? alice.key.seed : zeros(0));
  const signed = entry({ user: alice.raw, signing, agreement: agreement.public, box: box.public, protocols, createdAt: CREATED_AT });
  return {
    secret: hex(secret), transferSeed: hex(transfer.seed), ephemeralSeed: hex(ephemeral.seed),
    keys: hex(keys), code: `letterlock-link:${b32(concat(secret, keysHash))}`,
    slot: hex(sha256(concat(ascii('letterlock/link-slot/v1'), secret)).subarray(0, 16)),
    offer: hex(concat(alice.key.public, uint(4, 7), list)),
    entry: hex(signed),
    grant: hex(grant),
    steps: [
      keys, concat(ephemeral.public, seal(1, concat(alice.key.public, uint(4, 7), list))), seal(2, signed), seal(3, grant),
    ].map(hex),
  };
}

export function links() {
  const ok = (name, protocols, manage) => ({ name, rule: 'L1', ...link(name, protocols, manage), expect: 'ok' });
  const base = link('a device', SESSION, false);
  const bad = (name, rule, change) => {
    const steps = base.steps.map((step) => sodium.from_hex(step));
    change(steps);
    return { name, rule, ...base, steps: steps.map(hex), expect: 'forged' };
  };
  return [
    ok('sessions', SESSION, false),
    ok('sessions, with the user key', SESSION, true),
    ok('boxes', BOX, false),
    bad('nonce of the offer changed', 'L1.4', (s) => { s[1] = flip(s[1], 32); }),
    bad('offer changed', 'L1.4', (s) => { s[1] = flip(s[1], 60); }),
    bad('tag of the offer changed', 'L1.4', (s) => { s[1] = flip(s[1], s[1].length - 1); }),
    bad('another ephemeral key', 'L1.4', (s) => { s[1] = concat(x25519Key('somebody').public, s[1].subarray(32)); }),
    bad('entry changed', 'L1.6', (s) => { s[2] = flip(s[2], 40); }),
    bad('grant changed', 'L1.7', (s) => { s[3] = flip(s[3], 40); }),
    bad('entry and grant exchanged', 'L1.4', (s) => { [s[2], s[3]] = [s[3], s[2]]; }),
    bad('grant cut short', 'L1.4', (s) => { s[3] = s[3].subarray(0, 39); }),
  ];
}
