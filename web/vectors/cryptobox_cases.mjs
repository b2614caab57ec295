// C, B: content, padding, boxes.
import sodium from 'libsodium-wrappers';
import {
  ascii, concat, content, conversation, flip, hex, paddedLength, seed, sha256, uint, unhex, x25519Key, zeros,
} from './protocol.mjs';
import { alice, bob, desk, laptop, listOf, phone } from './people.mjs';
import { smallOrderU } from './identity_keys.mjs';
import { v1, v2 } from './identity_statements.mjs';
import { P, littleEndian } from './field.mjs';

const SENT_AT = 1767323046000007n;
const bobV1 = listOf(bob, null, desk, [desk]);

/** A UUIDv7 of 2026-01-02T03:04:06Z. */
export const messageId = (name) => {
  const id = concat(uint(6, 1767323046000n), seed(name).subarray(0, 10));
  id[6] = (id[6] & 0x0f) | 0x70;
  id[8] = (id[8] & 0x3f) | 0x80;
  return id;
};

/** A text from alice's phone to bob's desk. */
const text = (body, changes = {}) => ({
  messageId: messageId('text'), senderUser: alice.raw, senderDevice: phone.raw, recipientUser: bob.raw, recipientDevice: desk.raw,
  conversation: conversation(alice.raw, bob.raw), counter: 1n,
  senderListVersion: 2, senderListHash: sha256(v2), recipientListVersion: 1, recipientListHash: sha256(bobV1),
  sentAt: SENT_AT, bodyType: 1, body: typeof body === 'string' ? ascii(body) : body, ...changes,
});

/** The copy of such a text from alice's phone to her laptop. */
const copy = (body, changes = {}) => text(concat(bob.raw, ascii(body)), {
  recipientUser: alice.raw, recipientDevice: laptop.raw, recipientListVersion: 2, recipientListHash: sha256(v2), bodyType: 2, ...changes,
});

/** What the same two devices' clients tell each other. */
const control = (bodyType, body, changes = {}) => text(body, {
  bodyType, conversation: conversation(alice.raw, bob.raw, 'letterlock/control/v1'), ...changes,
});
const receipt = (type, count) => concat(uint(1, type), uint(1, count), ...Array.from({ length: count }, (_, i) => messageId(`receipt ${i}`)));

const outside = (c) => ({
  messageId: hex(c.messageId), senderUser: hex(c.senderUser), senderDevice: hex(c.senderDevice),
  recipientUser: hex(c.recipientUser), recipientDevice: hex(c.recipientDevice),
});

const fields = (c) => ({
  ...outside(c), conversation: hex(c.conversation), counter: String(c.counter),
  senderListVersion: c.senderListVersion, senderListHash: hex(c.senderListHash),
  recipientListVersion: c.recipientListVersion, recipientListHash: hex(c.recipientListHash),
  sentAt: String(c.sentAt), bodyType: c.bodyType, body: hex(c.body),
});

export function contents() {
  const ok = (name, rule, c) => ({ name, rule, content: hex(content(c)), fields: fields(c), expect: 'ok' });
  const no = (name, rule, expect, bytes) => ({ name, rule, content: hex(bytes), expect });
  const bad = (name, rule, expect, c) => no(name, rule, expect, content(c));
  const good = content(text('hello'));
  return [
    ok('text', 'C1', text('hello')),
    ok('text beyond ASCII', 'C1', text(new TextEncoder().encode('grüß dich 👋'))),
    ok('text that fills the shortest padding', 'C3.1', text('a'.repeat(34))),
    ok('text one byte longer', 'C3.1', text('a'.repeat(35))),
    ok('longest text', 'C1', text('a'.repeat(60000))),
    ok('highest counter, versions and instant', 'C1', text('x', {
      counter: 2n ** 64n - 1n, senderListVersion: 2 ** 32 - 1, recipientListVersion: 2 ** 32 - 1, sentAt: 2n ** 63n - 1n,
    })),
    ok('copy', 'C1.3', copy('hello')),
    ok('longest copy', 'C1.3', copy('a'.repeat(60000))),
    ok('note to oneself', 'C1.1', text('x', { recipientUser: alice.raw, recipientDevice: laptop.raw, conversation: conversation(alice.raw, alice.raw) })),
    ok('unknown body type', 'C1.4', text('?', { bodyType: 200 })),
    ok('empty unknown body', 'C1.4', text('', { bodyType: 6 })),
    ok('delivered receipt', 'C1.6', control(3, receipt(1, 1))),
    ok('read receipt of a hundred messages', 'C1.6', control(3, receipt(2, 100))),
    ok('resend request', 'R6', control(4, messageId('lost'))),
    ok('resent text', 'R6', control(5, concat(messageId('lost'), ascii('hello')))),
    bad('receipt of type 0', 'C1.6', 'receipt', control(3, receipt(0, 1))),
    bad('receipt of type 3', 'C1.6', 'receipt', control(3, receipt(3, 1))),
    bad('receipt of nothing', 'C1.6', 'receipt', control(3, receipt(1, 0))),
    bad('receipt of 101 messages', 'C1.6', 'receipt', control(3, receipt(1, 101))),
    bad('receipt of fewer messages than it counts', 'C1.6', 'content', control(3, receipt(1, 2).subarray(0, 33))),
    bad('receipt of what is no message id', 'C1.6', 'message-id', control(3, concat(uint(1, 1), uint(1, 1), zeros(16)))),
    bad('receipt in the conversation of messages', 'C1.5', 'conversation', text(receipt(1, 1), { bodyType: 3 })),
    bad('text in the control conversation', 'C1.5', 'conversation', control(1, ascii('hello'))),
    bad('resend request that is too long', 'R6', 'content', control(4, zeros(17))),
    bad('resend request of what is no message id', 'R6', 'message-id', control(4, zeros(16))),
    bad('resend request in the conversation of messages', 'C1.5', 'conversation', text(messageId('lost'), { bodyType: 4 })),
    bad('resent without a text', 'R6', 'text', control(5, messageId('lost'))),
    bad('resent too short for an id', 'R6', 'content', control(5, zeros(15))),
    bad('resent in the conversation of messages', 'C1.5', 'conversation', text(concat(messageId('lost'), ascii('x')), { bodyType: 5 })),
    bad('version 2', 'C1.4', 'content-version', text('x', { version: 2 })),
    bad('version 0', 'C1.4', 'content-version', text('x', { version: 0 })),
    bad('message id is a UUIDv4', 'C1', 'message-id', text('x', { messageId: flip(flip(messageId('text'), 6, 4), 6, 5) })),
    bad('message id has another variant', 'C1', 'message-id', text('x', { messageId: flip(messageId('text'), 8, 6) })),
    bad('counter 0', 'C1.2', 'content', text('x', { counter: 0n })),
    bad('sender\'s list version 0', 'C1', 'content', text('x', { senderListVersion: 0 })),
    bad('recipient\'s list version 0', 'C1', 'content', text('x', { recipientListVersion: 0 })),
    bad('instant out of range', 'N1', 'content', text('x', { sentAt: 2n ** 63n })),
    bad('conversation of others', 'C1.1', 'conversation', text('x', { conversation: conversation(alice.raw, alice.raw) })),
    bad('copy with the conversation of others', 'C1.1', 'conversation', copy('x', { conversation: conversation(alice.raw, alice.raw) })),
    bad('copy from another user', 'C1.3', 'copy', copy('x', { senderUser: bob.raw, senderDevice: desk.raw })),
    bad('empty text', 'C', 'text', text('')),
    bad('text too long', 'C', 'text', text('a'.repeat(60001))),
    bad('text that is not UTF-8', 'C', 'text', text(unhex('c328'))),
    bad('half of a surrogate pair', 'C', 'text', text(unhex('eda080'))),
    bad('empty copy', 'C', 'text', copy('')),
    bad('copy too short for a user', 'C', 'content', copy('x', { body: zeros(19) })),
    bad('body longer than what is there', 'N1', 'content', text('x', { bodyLength: 1000 })),
    bad('body length of 32 bits', 'N1', 'content', text('x', { bodyLength: 2 ** 32 - 1 })),
    bad('body shorter than what is there', 'C3.1', 'padding', text('xy', { bodyLength: 1 })),
    bad('not padded', 'C3.1', 'padding', text('x', { length: 223 })),
    bad('padded to the next step', 'C3.1', 'padding', text('x', { length: 272 })),
    bad('padded by one byte too many', 'C3.1', 'padding', text('x', { length: 257 })),
    bad('padded beyond the longest', 'C3.1', 'padding', text('a'.repeat(64000), { bodyType: 9 })),
    no('padding that is not zero', 'C3.1', 'padding', flip(good, 255)),
    no('padding that is not zero at its start', 'C3.1', 'padding', flip(good, 227)),
    no('cut short', 'N1', 'padding', good.subarray(0, 255)),
    no('no bytes', 'N1', 'content', zeros(0)),
  ];
}

/** C1.1 and C2.1 against the outside: what was sealed for one place does not pass at another. */
export function checks() {
  const c = text('hello');
  const chains = { senderChain: [v1, v2].map(hex), recipientChain: [hex(bobV1)] };
  const make = (name, rule, expect, delivered = {}, changes = {}, more = {}) => ({
    name, rule, content: hex(content({ ...c, ...changes })), delivered: { ...outside(c), ...delivered }, ...chains, ...more, expect,
  });
  return [
    make('as sent', 'C1.1', 'ok'),
    make('under an older list of the recipient', 'C2.2', 'ok', {}, { senderListVersion: 1, senderListHash: sha256(v1) }),
    make('another message id', 'C1.1', 'mismatch', { messageId: hex(messageId('other')) }),
    make('another sender', 'C1.1', 'mismatch', { senderUser: hex(bob.raw) }),
    make('another sending device', 'C1.1', 'mismatch', { senderDevice: hex(laptop.raw) }),
    make('another recipient', 'C1.1', 'mismatch', { recipientUser: hex(alice.raw) }),
    make('another receiving device', 'C1.1', 'mismatch', { recipientDevice: hex(laptop.raw) }),
    make('own box that comes back', 'B2.1', 'mismatch', {
      senderUser: hex(bob.raw), senderDevice: hex(desk.raw), recipientUser: hex(alice.raw), recipientDevice: hex(phone.raw),
    }),
    make('sender\'s list is unknown', 'C2.1', 'list-missing', {}, { senderListVersion: 3 }),
    make('own list is unknown', 'C2.1', 'list-missing', {}, { recipientListVersion: 2 }),
    make('sender\'s list has another hash', 'C1.1', 'list-hash', {}, { senderListHash: sha256(v1) }),
    make('own list has another hash', 'C1.1', 'list-hash', {}, { recipientListHash: sha256(v1) }),
  ];
}

export const paddings = () => [1, 222, 255, 256, 257, 271, 272, 273, 511, 512, 513, 1000, 1023, 1024, 1025, 4097, 60222, 60242, 61440, 61441, 63488]
  .map((n) => ({ name: `${n} bytes`, rule: 'C3.1', length: n, padded: n < 256 ? 256 : paddedLength(n), expect: 'ok' }));

export function boxes() {
  const a = x25519Key('alice, phone, box key');
  const b = x25519Key('bob, desk, box key');
  const stranger = x25519Key('mallory, box key');
  const keys = { senderSeed: hex(a.seed), sender: hex(a.public), recipientSeed: hex(b.seed), recipient: hex(b.public) };
  const nonceOf = (name) => seed(`nonce: ${name}`).subarray(0, 24);
  const good = sodium.crypto_box_easy(ascii('hello'), nonceOf('hello'), b.public, a.seed);
  const seal = (name, plaintext) => {
    const nonce = nonceOf(name);
    const ciphertext = sodium.crypto_box_easy(plaintext, nonce, b.public, a.seed);
    return { name, rule: 'B', ...keys, nonce: hex(nonce), ciphertext: hex(ciphertext), plaintext: hex(plaintext), expect: 'ok' };
  };
  const back = (name, plaintext) => {
    const nonce = nonceOf(name);
    const ciphertext = sodium.crypto_box_easy(plaintext, nonce, a.public, b.seed);
    return {
      name, rule: 'B', senderSeed: keys.recipientSeed, sender: keys.recipient, recipientSeed: keys.senderSeed, recipient: keys.sender,
      nonce: hex(nonce), ciphertext: hex(ciphertext), plaintext: hex(plaintext), expect: 'ok',
    };
  };
  const refuse = (name, rule, expect, changes) => ({
    name, rule, ...keys, nonce: hex(nonceOf('hello')), ciphertext: hex(good), expect, ...changes,
  });
  const refuseCiphertext = (name, ciphertext) => refuse(name, 'B', 'forged', { ciphertext: hex(ciphertext) });
  const bytes = (n) => sodium.randombytes_buf_deterministic(n, seed(`plaintext of ${n}`));
  // For each key of small order the box that anyone can make: under the key of an all-zero agreement.
  const zeroKey = unhex('351f86faa3b988468a850122b65b0acece9c4826806aeee63de9c0da2bd7f91e');
  const anyones = sodium.crypto_secretbox_easy(ascii('hello'), nonceOf('hello'), zeroKey);
  return [
    seal('no bytes', zeros(0)), seal('one byte', bytes(1)), seal('16 bytes', bytes(16)), seal('255 bytes', bytes(255)),
    seal('256 bytes', bytes(256)), seal('4,096 bytes', bytes(4096)), seal('63,488 bytes', bytes(63488)),
    seal('content', content(text('hello'))),
    back('one byte, back', bytes(1)), back('256 bytes, back', bytes(256)),
    refuseCiphertext('ciphertext changed at its start', flip(good, 16)),
    refuseCiphertext('ciphertext changed at its end', flip(good, -1, 7)),
    refuseCiphertext('tag changed at its start', flip(good, 0)),
    refuseCiphertext('tag changed at its end', flip(good, 15, 7)),
    refuseCiphertext('cut short', good.subarray(0, -1)),
    refuseCiphertext('one byte too many', concat(good, zeros(1))),
    refuseCiphertext('tag alone', good.subarray(0, 16)),
    refuseCiphertext('shorter than a tag', good.subarray(0, 15)),
    refuseCiphertext('no ciphertext', zeros(0)),
    refuse('nonce changed at its start', 'B', 'forged', { nonce: hex(flip(nonceOf('hello'), 0)) }),
    refuse('nonce changed at its end', 'B', 'forged', { nonce: hex(flip(nonceOf('hello'), 23)) }),
    refuse('another sender\'s key', 'B', 'forged', { sender: hex(stranger.public) }),
    refuse('another recipient\'s key', 'B', 'forged', { recipientSeed: hex(stranger.seed) }),
    ...smallOrderU.map((u, i) => refuse(`sender's key of small order ${i}`, 'S2.4', 'key-low-order', { sender: u, ciphertext: hex(anyones) })),
    refuse('sender\'s key is not canonical', 'S2.3', 'key-not-canonical', { sender: hex(littleEndian(P)), ciphertext: hex(anyones) }),
    refuse('sender\'s key with its top bit', 'S2.3', 'key-not-canonical', { sender: hex(flip(a.public, 31, 7)) }),
  ];
}

/** The worked example of the page, continued: content and the box around it. */
export function example() {
  const bytes = content(text('hello'));
  const nonce = seed('nonce: example').subarray(0, 24);
  return {
    phoneBoxSeed: hex(phone.box.seed), deskBoxSeed: hex(desk.box.seed), content: hex(bytes), nonce: hex(nonce), ciphertext: hex(sodium.crypto_box_easy(bytes, nonce, desk.box.public, phone.box.seed)),
  };
}
