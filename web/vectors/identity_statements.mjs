// S3, S4: entries, device lists, chains.
import { compare, concat, entry, flip, hex, rawDeviceId, sha256, uint, unhex, zeros } from './protocol.mjs';
import {
  BOX, CREATED_AT, SESSION, alice, bob, desk, device, entryOf, fields, laptop, listOf, phone, tablet,
} from './people.mjs';
import { smallOrderU } from './identity_keys.mjs';

/** What Go needs to make the same entry. */
const inputs = (d, f) => ({
  signingSeed: hex(d.signing.seed), user: hex(f.user), agreement: hex(f.agreement), protocols: f.protocols,
  createdAt: String(f.createdAt), ...(f.protocols & BOX ? { box: hex(f.box) } : {}),
});

export function entries() {
  const ok = (name, changes) => ({
    name, rule: 'S4', statement: hex(entryOf(phone, changes)), inputs: inputs(phone, fields(phone, changes)), expect: 'ok',
  });
  const no = (name, rule, expect, statement) => ({ name, rule, statement: hex(statement), expect });
  const bad = (name, rule, expect, changes) => no(name, rule, expect, entryOf(phone, changes));
  const good = entryOf(phone);
  const noBox = entryOf(phone, { protocols: SESSION });
  return [
    ok('box'),
    ok('session', { protocols: SESSION }),
    ok('both', { protocols: BOX | SESSION }),
    ok('bits without meaning are kept', { protocols: BOX | 0x8000 }),
    ok('created in 1970', { createdAt: 0n }),
    ok('created at the last instant', { createdAt: 2n ** 63n - 1n }),
    bad('instant out of range', 'N1', 'entry-form', { createdAt: 2n ** 63n }),
    bad('no protocol', 'S4.1', 'entry-protocols', { protocols: 0 }),
    bad('other context', 'S1.2', 'entry-form', { context: 'letterlock/entry/v2' }),
    bad('box key of small order', 'S2.4', 'key-low-order', { box: unhex(smallOrderU[2]) }),
    bad('agreement key of small order', 'S2.4', 'key-low-order', { agreement: unhex(smallOrderU[1]) }),
    bad('agreement key with its top bit', 'S2.3', 'key-not-canonical', { agreement: flip(phone.agreement.public, 31, 7) }),
    bad('box key is the agreement key', 'S1.1', 'key-reused', { box: phone.agreement.public }),
    bad('signed by another key', 'S4.1', 'signature', { signer: laptop.signing }),
    bad('signing key of small order', 'S2.1', 'key-low-order', { signing: { public: uint(32, 1n << 248n), sign: () => zeros(64) } }),
    no('one byte missing', 'N1', 'entry-form', good.subarray(0, -1)),
    no('one byte too many', 'N1', 'entry-form', concat(good, zeros(1))),
    no('no bytes', 'N1', 'entry-form', zeros(0)),
    no('box bit set without a box key', 'S4', 'entry-form', flip(noBox, 104)),
    no('box key without its bit', 'S4', 'entry-protocols', flip(good, 104)),
    no('user id changed', 'S4.1', 'signature', flip(good, 19)),
    no('agreement key changed', 'S4.1', 'signature', flip(good, 71)),
    no('protocols changed', 'S4.1', 'signature', flip(good, 104, 2)),
    no('created at changed', 'S4.1', 'signature', flip(good, 112)),
    no('box key changed', 'S4.1', 'signature', flip(good, 113)),
    no('R changed', 'S4.1', 'signature', flip(good, 145)),
    no('S changed', 'S4.1', 'signature', flip(good, 177)),
  ];
}

/** Chains' building blocks: three versions of alice's list. */
export const v1 = listOf(alice, null, phone, [phone]);
export const v2 = listOf(alice, v1, phone, [phone, laptop]);
export const v3 = listOf(alice, v2, laptop, [phone, laptop, tablet]);

export function lists() {
  const ok = (name, statement, extra = {}) => ({ name, rule: 'S3', statement: hex(statement), hash: hex(sha256(statement)), expect: 'ok', ...extra });
  const no = (name, rule, expect, statement) => ({ name, rule, statement: hex(statement), expect });
  const bad = (name, rule, expect, changes, devices = [phone, laptop]) =>
    no(name, rule, expect, listOf(alice, v1, phone, devices, changes));
  const devices = Array.from({ length: 100 }, (_, i) => device(alice, `device ${i}`));
  const descending = [entryOf(phone), entryOf(laptop)].sort((a, b) => compare(rawDeviceId(b.subarray(39, 71)), rawDeviceId(a.subarray(39, 71))));
  return [
    ok('version 1', v1),
    ok('version 2', v2),
    ok('version 3, by another author', v3),
    ok('author takes itself off', listOf(alice, v2, phone, [laptop])),
    ok('100 devices', listOf(alice, v1, devices[0], devices)),
    bad('version 0', 'S3', 'list-version', { version: 0 }),
    bad('other context', 'S1.2', 'list-form', { context: 'letterlock/device-list/v2' }),
    no('version 1 with two entries', 'S3.2', 'list-first', listOf(alice, null, phone, [phone, laptop])),
    no('version 1 with a version before', 'S3.2', 'list-first', listOf(alice, null, phone, [phone], { previous: sha256(v1) })),
    no('version 1 by a device not on it', 'S3.2', 'list-first', listOf(alice, null, laptop, [phone])),
    bad('no entries', 'S3', 'list-form', {}, []),
    bad('101 entries', 'S3', 'list-form', {}, [...devices, laptop]),
    bad('fewer entries than counted', 'N1', 'list-form', { count: 3 }),
    bad('more entries than counted', 'N1', 'list-form', { count: 1 }),
    bad('entries in descending order', 'S3', 'list-order', { entries: descending, sort: false }),
    bad('one device twice', 'S3', 'list-order', { entries: [entryOf(phone), entryOf(phone)], sort: false }),
    bad('entry of another user', 'S4.2', 'entry-user', {}, [phone, desk]),
    bad('entry with a forged signature', 'S4.1', 'signature', {}, [phone, flip(entryOf(laptop), -1, 2)]),
    bad('entry that accepts nothing', 'S4.1', 'entry-protocols', {}, [phone, entryOf(laptop, { protocols: 0 })]),
    bad('user key of small order', 'S2.1', 'key-low-order', { user: { public: uint(32, 1n << 248n), sign: () => zeros(64) }, signer: alice.key }),
    bad('user key is a device\'s signing key', 'S1.1', 'key-reused', {}, [phone, entry(fields({ ...laptop, signing: alice.key }))]),
    bad('two devices with one box key', 'S1.1', 'key-reused', {}, [phone, entryOf(laptop, { box: phone.box.public })]),
    bad('two devices with one agreement key', 'S1.1', 'key-reused', {}, [phone, entryOf(laptop, { agreement: phone.agreement.public })]),
    bad('box key is another device\'s agreement key', 'S1.1', 'key-reused', {}, [phone, entryOf(laptop, { box: phone.agreement.public })]),
    bad('not signed by the user key', 'S3.1', 'signature', { signer: bob.key }),
    bad('not signed by the author', 'S3.1', 'signature', { authorSigner: laptop.signing }),
    no('user key changed', 'S3.1', 'signature', listOf(alice, v1, phone, [phone, laptop], { user: bob.key, signer: alice.key })),
    no('version changed', 'S3.1', 'signature', flip(v2, 60, 2)),
    no('hash changed', 'S3.1', 'signature', flip(v2, 61)),
    no('author changed', 'S3.1', 'signature', flip(v2, 93)),
    no('user signature changed', 'S3.1', 'signature', flip(v2, -128)),
    no('author signature changed', 'S3.1', 'signature', flip(v2, -1)),
    no('one byte missing', 'N1', 'signature', v2.subarray(0, -1)),
    no('one byte too many', 'N1', 'signature', concat(v2, zeros(1))),
    no('longer than any list', 'N1', 'list-form', concat(v2, zeros(22000))),
    no('no bytes', 'N1', 'list-form', zeros(0)),
    no('an entry', 'S1.2', 'list-form', entryOf(phone)),
  ];
}

export function chains() {
  const make = (name, rule, expect, statements, user = alice) => ({ name, rule, user: hex(user.raw), statements: statements.map(hex), expect });
  const next = (author, devices, changes) => listOf(alice, v2, author, devices, changes);
  const both = entryOf(laptop, { protocols: BOX | SESSION });
  const withSession = listOf(alice, v1, phone, [phone, both]);
  const dropped = listOf(alice, withSession, phone, [phone, laptop]);
  const alone = listOf(alice, v2, phone, [phone]);
  const otherV2 = listOf(alice, v1, phone, [phone, tablet]);
  const newBox = device(alice, 'laptop with a new box').box.public;
  return [
    make('version 1', 'S3.2', 'ok', [v1]),
    make('three versions', 'S3.3', 'ok', [v1, v2, v3]),
    make('the newest version again', 'S3.3', 'ok', [v1, v2, v2]),
    make('author takes itself off', 'S3.2', 'ok', [v1, v2, next(laptop, [phone])]),
    make('a protocol is added', 'S4.4', 'ok', [v1, v2, next(phone, [phone, both])]),
    make('a protocol is dropped', 'S4.4', 'ok', [v1, withSession, dropped]),
    make('a box key changes', 'S4.4', 'ok', [v1, v2, next(phone, [phone, entryOf(laptop, { box: newBox })])]),
    make('another user\'s list', 'S3.1', 'list-user', [v1], bob),
    make('starts at version 2', 'S3.3', 'list-gap', [v2]),
    make('skips a version', 'S3.3', 'list-gap', [v1, v3]),
    make('an older version again', 'S3.5', 'list-older', [v1, v2, v1]),
    make('equivocation about the newest version', 'S3.4', 'equivocation', [v1, v2, otherV2]),
    make('equivocation about an older version', 'S3.4', 'equivocation', [v1, v2, v3, otherV2]),
    make('the next version of another chain', 'S3.3', 'list-previous', [v1, v2, listOf(alice, otherV2, phone, [phone, tablet, laptop])]),
    make('author is only on the new version', 'S3.2', 'list-author', [v1, v2, next(tablet, [phone, laptop, tablet])]),
    make('author was taken off before', 'S3.2', 'list-author', [v1, v2, alone, listOf(alice, alone, laptop, [phone, tablet])]),
    make('author that takes itself off did not sign', 'S3.2', 'signature', [v1, v2, next(laptop, [phone], { authorSigner: tablet.signing })]),
    make('agreement key changes', 'S4.4', 'agreement-key', [v1, v2, next(phone, [phone, entryOf(laptop, { agreement: tablet.agreement.public })])]),
    make('created at changes', 'S4.4', 'created-at', [v1, v2, next(phone, [phone, entryOf(laptop, { createdAt: CREATED_AT + 1n })])]),
    make('dropped protocol comes back', 'S4.4', 'protocol-dropped', [v1, withSession, dropped, listOf(alice, dropped, phone, [phone, both])]),
    make('removed device comes back', 'S4.4', 'device-removed', [v1, v2, alone, listOf(alice, alone, phone, [phone, laptop])]),
  ];
}

/** The worked example of the page: seeds in, statements out. */
export function example() {
  const part = (d) => ({ ...inputs(d, fields(d)), entry: hex(entryOf(d)) });
  return {
    userSeed: hex(alice.key.seed), user: hex(alice.raw),
    phone: part(phone), laptop: part(laptop), v1: hex(v1), v2: hex(v2), v1Hash: hex(sha256(v1)), v2Hash: hex(sha256(v2)),
  };
}
