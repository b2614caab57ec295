// R: agreement, ratchet steps, and a conversation with losses. Every random input stands in the vectors, in the order in which
// it is drawn.
import sodium from 'libsodium-wrappers';
import {
  ascii, concat, flip, hex, seed, unhex, x25519Key,
} from './protocol.mjs';
import { alice, bob, desk, laptop, phone } from './people.mjs';
import { P, littleEndian } from './field.mjs';
import { smallOrderU } from './identity_keys.mjs';
import {
  LAST_RESORT_KEM, ONE_TIME_KEM, PREAMBLE, Refused, advance, agree, agreedKeys, answererAgreements, answererSession, associatedData,
  decapsulate, decrypt, encapsulate, encrypt, kemKey, parseStart, preamble, ratchetRoot, sealHeader, sealMessage, starterSession,
} from './session.mjs';

const NOW = 1767323046;
const DAY = 86400;
const random = (name, size = 32) => {
  const parts = [];
  for (let i = 0; i * 32 < size; i++) parts.push(seed(`${name} ${i}`));
  return concat(...parts).subarray(0, size);
};

const member = (d) => ({ user: d.owner.key.public, device: d.raw, agreement: d.agreement.public, seed: d.agreement.seed });
const memberFields = (m) => ({ user: hex(m.user), device: hex(m.device), agreement: hex(m.agreement), agreementSeed: hex(m.seed) });

/** All inputs of an agreement between the phone and bob's desk. */
function agreementInputs(name, { oneTime = true, kemKind = ONE_TIME_KEM } = {}) {
  const kemSeed = random(`${name}, KEM prekey`, 64);
  return {
    starter: member(phone), answerer: member(desk),
    signed: { number: 3, ...x25519Key(`${name}, signed prekey`) },
    oneTime: oneTime ? { number: 7, ...x25519Key(`${name}, one-time prekey`) } : null,
    kem: { kind: kemKind, number: 9, seed: kemSeed, ...kemKey(kemSeed) },
    ephemeral: x25519Key(`${name}, ephemeral key`), encapsulation: random(`${name}, encapsulation`),
    ratchet: x25519Key(`${name}, first ratchet key`),
  };
}

/** The starter's side, with all that lies between. */
function start(i) {
  const { ciphertext, shared } = encapsulate(i.kem.publicKey, i.encapsulation);
  const p = {
    ephemeral: i.ephemeral.public, signed: i.signed.number, oneTime: i.oneTime?.number ?? 0, kemKind: i.kem.kind, kem: i.kem.number, ciphertext,
  };
  const dhs = [
    agree(i.starter.seed, i.signed.public), agree(i.ephemeral.seed, i.answerer.agreement), agree(i.ephemeral.seed, i.signed.public),
  ];
  if (i.oneTime) dhs.push(agree(i.ephemeral.seed, i.oneTime.public));
  const publics = { signed: i.signed.public, oneTime: i.oneTime?.public, kem: i.kem.publicKey };
  const associated = associatedData(i.starter, i.answerer, p, publics);
  const keys = agreedKeys(dhs, shared, associated);
  const session = starterSession(associated, keys, i.signed.public, preamble(p), i.ratchet.seed);
  return { p, dhs, shared, associated, keys, session };
}

/** The answerer's side of a start, as R1.9 has it: only with the prekeys that it names. */
export function accept(i, p, starter = i.starter, answerer = i.answerer) {
  if (Boolean(p.oneTime) !== Boolean(i.oneTime)) throw new Refused('forged');
  const shared = decapsulate(p.ciphertext, i.kem.secretKey);
  const dhs = answererAgreements(i.answerer.seed, starter, p, { signed: i.signed.seed, oneTime: i.oneTime?.seed });
  const publics = { signed: i.signed.public, oneTime: i.oneTime?.public, kem: i.kem.publicKey };
  const associated = associatedData(starter, answerer, p, publics);
  return answererSession(associated, agreedKeys(dhs, shared, associated), i.signed.seed);
}

const inputFields = (i) => ({
  starter: memberFields(i.starter), answerer: memberFields(i.answerer),
  signed: { number: i.signed.number, seed: hex(i.signed.seed), key: hex(i.signed.public) },
  oneTime: i.oneTime ? { number: i.oneTime.number, seed: hex(i.oneTime.seed), key: hex(i.oneTime.public) } : null,
  kem: { kind: i.kem.kind, number: i.kem.number, seed: hex(i.kem.seed), key: hex(i.kem.publicKey) },
  ephemeralSeed: hex(i.ephemeral.seed), encapsulation: hex(i.encapsulation), ratchetSeed: hex(i.ratchet.seed),
});

/** What a first message comes to; it must be what the vector is meant to show. */
function outcome(i, envelope, starter, answerer) {
  try {
    const { preamble: p, message } = parseStart(envelope);
    decrypt(accept(i, p, starter, answerer), random('unused'), NOW, message);
    return 'ok';
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

function agreementCase(name, rule, options) {
  const i = agreementInputs(name, options);
  const s = start(i);
  const first = { random: random(`${name}, nonces`, 48), plaintext: ascii('hello') };
  const chain = s.session.sending.chain;
  const envelope = encrypt(s.session, first.random, first.plaintext);
  if (outcome(i, envelope) !== 'ok') throw new Error(`${name}: both sides differ`);
  const fields = {
    name, rule, expect: 'ok', ...inputFields(i),
    dh: s.dhs.map(hex), kemCiphertext: hex(s.p.ciphertext), kemShared: hex(s.shared), associatedData: hex(s.associated),
    preamble: hex(preamble(s.p)), root: hex(s.keys[0]), starterHeader: hex(s.keys[1]), answererHeader: hex(s.keys[2]),
    starterRoot: hex(s.session.root), starterChain: hex(chain), starterNextHeader: hex(s.session.nextSending),
    random: hex(first.random), plaintext: hex(first.plaintext), envelope: hex(envelope),
  };
  return { i, envelope, fields };
}

export function agreements() {
  const full = agreementCase('with a one-time prekey', 'R1.3');
  const without = agreementCase('without a one-time prekey', 'R1.3', { oneTime: false });
  const lastResort = agreementCase('with the last-resort KEM prekey', 'R1.2', { kemKind: LAST_RESORT_KEM });
  const cases = [full.fields, without.fields, lastResort.fields];
  const no = (name, rule, base, envelope, expect, { starter, answerer } = {}) => {
    const found = outcome(base.i, envelope, starter, answerer);
    if (found !== expect) throw new Error(`${name}: ${found}, not ${expect}`);
    const changed = {};
    if (starter) changed.starter = memberFields(starter);
    if (answerer) changed.answerer = memberFields(answerer);
    cases.push({ name, rule, expect, base: base.fields.name, envelope: hex(envelope), ...changed });
  };
  const put = (base, offset, bytes) => concat(base.envelope.subarray(0, offset), bytes, base.envelope.subarray(offset + bytes.length));
  const changes = [
    ['ephemeral key', 1, 'forged'], ['last byte of the ephemeral key', 31, 'forged'], ['number of the signed prekey', 36, 'forged'],
    ['number of the one-time prekey', 40, 'forged'], ['number of the KEM prekey', 45, 'forged'], ['KEM ciphertext', 46, 'forged'],
    ['last byte of the KEM ciphertext', PREAMBLE - 1, 'forged'], ['version of the message', PREAMBLE, 'session-version'],
    ['nonce of the header', PREAMBLE + 1, 'forged'], ['header', PREAMBLE + 25, 'forged'], ['tag of the header', PREAMBLE + 80, 'forged'],
    ['nonce of the content', PREAMBLE + 81, 'forged'], ['content', PREAMBLE + 105, 'forged'], ['tag of the content', -1, 'forged'],
  ];
  for (const [name, offset, expect] of changes) no(`changed byte: ${name}`, 'R1.5', full, flip(full.envelope, offset), expect);
  no('preamble of version 0', 'R1.7', full, put(full, 0, Uint8Array.of(0)), 'session-version');
  no('preamble of version 2', 'R1.7', full, put(full, 0, Uint8Array.of(2)), 'session-version');
  no('KEM prekey presented as last-resort', 'R1.5', full, put(full, 41, Uint8Array.of(LAST_RESORT_KEM)), 'forged');
  no('last-resort KEM prekey presented as one-time', 'R1.5', lastResort, put(lastResort, 41, Uint8Array.of(ONE_TIME_KEM)), 'forged');
  no('KEM prekey of kind 0', 'R1.7', full, put(full, 41, Uint8Array.of(0)), 'forged');
  no('KEM prekey of an X25519 kind', 'R1.7', full, put(full, 41, Uint8Array.of(2)), 'forged');
  no('KEM prekey number 0', 'R1.7', full, put(full, 42, new Uint8Array(4)), 'forged');
  no('signed prekey number 0', 'R1.7', full, put(full, 33, new Uint8Array(4)), 'forged');
  no('one-time prekey taken out', 'R1.5', full, put(full, 37, new Uint8Array(4)), 'forged');
  no('one-time prekey put in', 'R1.5', without, put(without, 37, Uint8Array.of(0, 0, 0, 7)), 'forged');
  no('cut in the preamble', 'R1.7', full, full.envelope.subarray(0, PREAMBLE - 1), 'forged');
  no('preamble alone', 'R1.7', full, full.envelope.subarray(0, PREAMBLE), 'forged');
  no('nothing', 'R1.7', full, new Uint8Array(0), 'forged');
  smallOrderU.forEach((u, n) => no(`ephemeral key of small order ${n}`, 'S2.4', full, put(full, 1, unhex(u)), 'key-low-order'));
  no('ephemeral key that is not reduced', 'S2.3', full, put(full, 1, littleEndian(P + 9n)), 'key-not-canonical');
  no('ephemeral key with the top bit', 'S2.3', full, flip(full.envelope, 32, 7), 'key-not-canonical');
  const other = member(laptop);
  const asStarter = (change) => ({ starter: { ...full.i.starter, ...change } });
  const asAnswerer = (change) => ({ answerer: { ...full.i.answerer, ...change } });
  no("another starter's user key", 'R1.5', full, full.envelope, 'forged', asStarter({ user: bob.key.public }));
  no("another starter's device", 'R1.5', full, full.envelope, 'forged', asStarter({ device: other.device }));
  no("another starter's agreement key", 'R1.5', full, full.envelope, 'forged', asStarter({ agreement: other.agreement }));
  no("another answerer's user key", 'R1.5', full, full.envelope, 'forged', asAnswerer({ user: alice.key.public }));
  no("another answerer's device", 'R1.5', full, full.envelope, 'forged', asAnswerer({ device: other.device }));
  return cases;
}

export function ratchetSteps() {
  const cases = [];
  let root = seed('ratchet, root');
  for (let n = 0; n < 3; n++) {
    const own = x25519Key(`ratchet, own ${n}`);
    const peer = x25519Key(`ratchet, peer ${n}`).public;
    const [newRoot, chain, header] = ratchetRoot(root, own.seed, peer);
    cases.push({
      name: `KDF_RK, step ${n}`, rule: 'R3.1', kind: 'root', expect: 'ok', root: hex(root), seed: hex(own.seed), peer: hex(peer),
      newRoot: hex(newRoot), chain: hex(chain), header: hex(header),
    });
    root = newRoot;
  }
  smallOrderU.forEach((u, n) => cases.push({
    name: `KDF_RK with a key of small order ${n}`, rule: 'S2.4', kind: 'root', expect: 'key-low-order',
    root: hex(root), seed: hex(seed('ratchet, own 0')), peer: u,
  }));
  let chain = seed('ratchet, chain');
  for (let n = 0; n < 4; n++) {
    const [message, next] = advance(chain);
    cases.push({ name: `KDF_CK, step ${n}`, rule: 'R3.1', kind: 'chain', expect: 'ok', chain: hex(chain), message: hex(message), next: hex(next) });
    chain = next;
  }
  [[0, 0], [1, 2], [2 ** 32 - 1, 2 ** 32 - 2]].forEach(([previous, number], n) => {
    const key = seed(`ratchet, header key ${n}`);
    const associated = seed(`ratchet, associated data ${n}`);
    const { public: ratchet } = x25519Key(`ratchet, header's ratchet key ${n}`);
    const nonce = random(`ratchet, header's nonce ${n}`, 24);
    const sealed = sealHeader(key, nonce, associated, ratchet, previous, number);
    const fields = { kind: 'header', key: hex(key), associatedData: hex(associated), ratchet: hex(ratchet), previous, number };
    cases.push({ name: `header ${n}`, rule: 'R3.2', expect: 'ok', ...fields, sealed: hex(sealed) });
    cases.push({ name: `header ${n}, changed byte`, rule: 'R3.2', expect: 'forged', ...fields, sealed: hex(flip(sealed, 30)) });
    cases.push({ name: `header ${n}, other associated data`, rule: 'R3.2', expect: 'forged', ...fields, associatedData: hex(flip(associated, 0)), sealed: hex(sealed) });
  });
  return cases;
}

/** A conversation of both sides, and what the network does to it. */
class Script {
  constructor(i) {
    this.inputs = i;
    this.steps = [];
    this.now = NOW;
    this.sides = { starter: start(i).session, answerer: null };
  }

  seal(by, text) {
    const name = `${by} seals ${text}`;
    const nonces = random(`script, ${name}`, 48);
    const isStart = this.sides[by].preamble.length > 0;
    const envelope = encrypt(this.sides[by], nonces, ascii(text));
    this.steps.push({ name, rule: 'R3.3', do: 'seal', by, start: isStart, random: hex(nonces), plaintext: hex(ascii(text)), envelope: hex(envelope), expect: 'ok' });
    return { name: text, start: isStart, envelope };
  }

  /** `expect` is what the page says; the second implementation must find the same. */
  open(by, sealed, expect = 'ok', rule = 'R3.4', what = '') {
    const name = `${by} opens ${sealed.name}${what}${expect === 'ok' ? '' : `: ${expect}`} (step ${this.steps.length})`;
    const next = random(`script, ${name}, ratchet key`);
    let found = 'ok';
    let plaintext = new Uint8Array(0);
    try {
      let message = sealed.envelope;
      if (sealed.start) {
        const parsed = parseStart(message);
        message = parsed.message;
        if (!this.sides.answerer) this.sides.answerer = accept(this.inputs, parsed.preamble);
      }
      plaintext = decrypt(this.sides[by], next, this.now, message);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      found = error.message;
    }
    if (found !== expect) throw new Error(`${name}: ${found}`);
    this.steps.push({
      name, rule, do: 'open', by, start: sealed.start, now: String(this.now), random: hex(next), envelope: hex(sealed.envelope),
      plaintext: hex(plaintext), expect,
    });
  }

  /** A message as only a peer gone bad seals it, on its current chain. */
  bad(by, name, change) {
    const s = this.sides[by];
    const [key] = advance(s.sending.chain);
    const header = { ratchet: sodium.crypto_scalarmult_base(s.seed), previous: s.sending.previous, number: s.sending.next, ...change };
    return { name, start: false, envelope: sealMessage(s.associated, s.sending.header, key, random(`script, ${name}`, 48), header, ascii('bad')) };
  }
}

export function script() {
  const s = new Script(agreementInputs('script'));
  const [first, second, third] = ['first', 'second', 'third'].map((text) => s.seal('starter', text));
  s.open('answerer', second, 'ok', 'R1.6', ', the first to come');
  s.open('answerer', first);
  s.open('answerer', first, 'key-used', 'R4.4', ' again');
  s.open('starter', { ...third, start: false, envelope: third.envelope.subarray(PREAMBLE) }, 'forged', 'R3.4', ', its own');
  const answers = ['answer 0', 'answer 1', 'answer 2'].map((text) => s.seal('answerer', text));
  s.open('starter', answers[1]);
  s.open('answerer', third, 'ok', 'R1.6', ', still with its preamble');
  const turned = ['turned 0', 'lost', 'turned 2'].map((text) => s.seal('starter', text));
  s.open('answerer', turned[2]);
  s.open('starter', answers[0]);
  s.open('starter', answers[2]);
  damage(s, turned[0]);
  s.open('answerer', turned[0]);
  s.open('answerer', turned[0], 'key-used', 'R4.4', ' again');
  aPeerGoneBad(s);
  for (let turn = 0; turn < 6; turn++) {
    s.open('starter', s.seal('answerer', `there ${turn}`));
    s.open('answerer', s.seal('starter', `back ${turn}`));
  }
  s.open('answerer', turned[1], 'forged', 'R4.2', ', too many turns ago');
  tooFarAndTooOld(s);
  lateFromTheEndOfAChain(s);
  return { inputs: inputFields(s.inputs), steps: s.steps };
}

function damage(s, sealed) {
  const at = { version: 0, "header's nonce": 1, header: 25, "header's tag": 80, "content's nonce": 81, content: 105, "content's tag": -1 };
  for (const [name, offset] of Object.entries(at)) {
    const expect = name === 'version' ? 'session-version' : 'forged';
    s.open('answerer', { ...sealed, envelope: flip(sealed.envelope, offset) }, expect, 'R3.4', `, changed byte: ${name}`);
  }
  s.open('answerer', { ...sealed, envelope: sealed.envelope.subarray(0, 120) }, 'forged', 'R3.2', ', cut');
}

function aPeerGoneBad(s) {
  s.open('starter', s.seal('answerer', 'go on'));
  const no = (name, change, expect, rule) => s.open('answerer', s.bad('starter', name, change), expect, rule);
  no('a huge number', { number: 2 ** 31 }, 'too-far-ahead', 'R4.3');
  no('the number that is never used', { number: 2 ** 32 - 1 }, 'too-far-ahead', 'R4.3');
  no('a huge length of the chain before', { previous: 2 ** 32 - 2 }, 'too-far-ahead', 'R4.3');
  no('a ratchet key of small order', { ratchet: unhex(smallOrderU[1]) }, 'key-low-order', 'S2.4');
  no('a ratchet key that is not reduced', { ratchet: littleEndian(P + 9n) }, 'key-not-canonical', 'S2.3');
  no('the key of another number', { number: 1 }, 'forged', 'R3.4');
  s.open('answerer', s.seal('starter', 'good again'));
  no('another ratchet key in a chain', { ratchet: x25519Key('script, another').public }, 'forged', 'R3.4');
}

function tooFarAndTooOld(s) {
  const early = s.seal('starter', 'early');
  s.open('answerer', s.seal('starter', 'after early'));
  s.now += 29 * DAY;
  const later = s.seal('starter', 'held back');
  s.open('answerer', s.seal('starter', 'a month later'));
  s.now += 2 * DAY;
  s.open('answerer', early, 'key-used', 'R4.4', ', too old');
  s.open('answerer', later, 'ok', 'R4.4', ', in time');
}

function lateFromTheEndOfAChain(s) {
  const late = s.seal('starter', 'last of its chain');
  s.open('starter', s.seal('answerer', 'turn once more'));
  s.open('answerer', s.seal('starter', 'from the next chain'));
  s.open('answerer', late);
  s.open('answerer', late, 'key-used', 'R4.4', ' again');
}
