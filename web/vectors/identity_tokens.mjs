// S6: tokens.
import { createHmac } from 'node:crypto';
import { b64, ascii, deviceId, hex, token, userId } from './protocol.mjs';
import { alice, bob, desk, entryOf, laptop, phone } from './people.mjs';

const NOW = 1767323045;
const ORIGIN = 'https://chat.example.org';

export function tokens() {
  const kid = deviceId(phone.signing.public);
  const header = { alg: 'EdDSA', kid, typ: 'letterlock-device+jwt' };
  const claims = { aud: ORIGIN, exp: NOW + 540, iat: NOW, sub: userId(alice.key.public) };
  const { sign } = phone.signing;
  const good = token(header, claims, sign);
  const make = (name, rule, expect, text, extra = {}) => ({
    name, rule, token: text, key: hex(phone.signing.public), user: hex(alice.raw), audiences: [ORIGIN], now: NOW, expect, ...extra,
  });
  const h = (name, rule, expect, changes) => make(name, rule, expect, token({ ...header, ...changes }, claims, sign));
  const c = (name, rule, expect, changes) => make(name, rule, expect, token(header, { ...claims, ...changes }, sign));
  const raw = (name, rule, expect, headerText, claimsText) => make(name, rule, expect, token(headerText, claimsText, sign));
  const [head, body, tail] = good.split('.');
  const hmac = (key) => (text) => new Uint8Array(createHmac('sha256', key).update(text).digest());
  const entryBytes = entryOf(phone);
  const claimsText = JSON.stringify(claims);
  const bearing = (member) => h(`${member} in the header`, 'S6.1', 'token-header', { [member]: member === 'x5c' ? ['MAo='] : 'x' });
  return [
    make('ordinary token', 'S6', 'ok', good, { seed: hex(phone.signing.seed) }),
    make('several audiences are valid', 'S6.3', 'ok', good, { audiences: ['http://localhost:8080', ORIGIN] }),
    c('expires in 600 seconds', 'S6.4', 'ok', { exp: NOW + 600 }),
    c('expires in one second', 'S6.4', 'ok', { exp: NOW + 1 }),
    c('issued 60 seconds ahead', 'S6.4', 'ok', { iat: NOW + 60 }),
    c('expires now', 'S6.4', 'token-expired', { exp: NOW }),
    c('expired', 'S6.4', 'token-expired', { exp: NOW - 1 }),
    c('expires in 601 seconds', 'S6.4', 'token-lifetime', { exp: NOW + 601 }),
    c('expires in a hundred years', 'S6.4', 'token-lifetime', { exp: NOW + 3153600000 }),
    c('issued 61 seconds ahead', 'S6.4', 'token-future', { iat: NOW + 61 }),
    c('no iat', 'S6.4', 'token-claims', { iat: undefined }),
    c('no exp', 'S6.4', 'token-claims', { exp: undefined }),
    c('exp with a fraction', 'S6.4', 'token-claims', { exp: NOW + 1.5 }),
    raw('exp with an exponent', 'S6.4', 'token-claims', header, claimsText.replace(NOW + 540, '1767323e3')),
    raw('exp with a fraction of zero', 'S6.4', 'token-claims', header, claimsText.replace(NOW + 540, `${NOW + 540}.0`)),
    c('exp as text', 'S6.4', 'token-claims', { exp: String(NOW + 540) }),
    c('exp below zero', 'S6.4', 'token-claims', { exp: -1 }),
    c('exp beyond every calendar', 'S6.4', 'token-claims', { exp: 2 ** 52 }),
    c('a claim that is not ours', 'S6.4', 'token-claims', { nbf: NOW }),
    c('another server', 'S6.3', 'token-audience', { aud: 'https://evil.example.org' }),
    c('audience with a slash', 'S6.3', 'token-audience', { aud: `${ORIGIN}/` }),
    c('audience in upper case', 'S6.3', 'token-audience', { aud: 'https://CHAT.example.org' }),
    c('audience as a list', 'S6.3', 'token-audience', { aud: [ORIGIN] }),
    c('no audience', 'S6.3', 'token-audience', { aud: undefined }),
    make('the server has no audience', 'S6.3', 'token-audience', good, { audiences: [] }),
    c('sub is no user id', 'S6.2', 'token-user', { sub: 'alice' }),
    c('no sub', 'S6.2', 'token-user', { sub: undefined }),
    c('sub is another user', 'S6.2', 'token-user', { sub: userId(bob.key.public) }),
    h('kid is another device', 'S6.2', 'token-device', { kid: deviceId(laptop.signing.public) }),
    h('kid is no device id', 'S6.2', 'token-device', { kid: 'phone' }),
    h('no kid', 'S6.2', 'token-device', { kid: undefined }),
    make('registered with another key', 'S6.2', 'token-device', good, { key: hex(desk.signing.public) }),
    make('signed by another device', 'S6.2', 'token-signature', token(header, claims, laptop.signing.sign)),
    make('signed by the user key', 'S6.2', 'token-signature', token(header, claims, alice.key.sign)),
    h('alg none', 'S6.1', 'token-algorithm', { alg: 'none' }),
    make('alg none, unsigned', 'S6.1', 'token-algorithm', `${b64(ascii(JSON.stringify({ ...header, alg: 'none' })))}.${body}.`),
    make('HS256 with the public key as secret', 'S6.1', 'token-algorithm', token({ ...header, alg: 'HS256' }, claims, hmac(phone.signing.public))),
    make('HS256 that says EdDSA', 'S6.1', 'token-form', token(header, claims, hmac(phone.signing.public))),
    h('alg in other letters', 'S6.1', 'token-algorithm', { alg: 'EdDsa' }),
    h('alg Ed25519', 'S6.1', 'token-algorithm', { alg: 'Ed25519' }),
    h('no alg', 'S6.1', 'token-algorithm', { alg: undefined }),
    h('typ JWT', 'S6.1', 'token-type', { typ: 'JWT' }),
    h('typ in other letters', 'S6.1', 'token-type', { typ: 'Letterlock-Device+JWT' }),
    h('no typ', 'S6.1', 'token-type', { typ: undefined }),
    ...['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip'].map(bearing),
    raw('alg twice in the header', 'S6.1', 'token-form', JSON.stringify(header).replace('{', '{"alg":"none",'), claims),
    raw('sub twice in the claims', 'S6.1', 'token-form', header, claimsText.replace('{', `{"sub":"${userId(bob.key.public)}",`)),
    raw('something after the claims', 'S6.5', 'token-form', header, `${claimsText} {}`),
    raw('header is a list', 'S6.5', 'token-form', `[{"alg":"EdDSA"}]`, claims),
    raw('claims are null', 'S6.5', 'token-form', header, 'null'),
    raw('claims are no JSON', 'S6.5', 'token-form', header, '{'),
    make('claims changed', 'S6.2', 'token-signature', `${head}.${b64(ascii(JSON.stringify({ ...claims, exp: NOW + 541 })))}.${tail}`),
    make('no signature', 'S6.5', 'token-form', `${head}.${body}.`),
    make('two parts', 'S6.5', 'token-form', `${head}.${body}`),
    make('four parts', 'S6.5', 'token-form', `${good}.${tail}`),
    make('empty', 'S6.5', 'token-form', ''),
    make('padded', 'S6.5', 'token-form', `${good}==`),
    make('a line break at the end', 'S6.5', 'token-form', `${good}\n`),
    make('a line break within', 'S6.5', 'token-form', `${head}.${body.slice(0, 8)}\n${body.slice(8)}.${tail}`),
    make('spare bits set', 'S6.5', 'token-form', `${head}.${body}.${tail.slice(0, -1)}${String.fromCharCode(tail.charCodeAt(tail.length - 1) + 1)}`),
    make('a word in front', 'S6.5', 'token-form', `Bearer ${good}`),
    make('1,025 characters', 'S6.5', 'token-form', `${good}${'A'.repeat(1025 - good.length)}`),
    make('an entry in place of a token', 'S1.2', 'token-form', `${b64(entryBytes.subarray(0, -64))}.${body}.${b64(entryBytes.subarray(-64))}`),
  ];
}

