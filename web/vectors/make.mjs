// Writes the known answers of docs/protocol.md: identity/testdata and cryptobox/testdata. Run `npm ci && npm run make` here; the
// same files come out every time. One file a structure, one failure a case: `name`, the rule's number, what goes in, and `expect`,
// which is "ok" or the class of the refusal. Bytes are hexadecimal, 64-bit integers are decimal texts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import sodium from 'libsodium-wrappers';
import * as keys from './identity_keys.mjs';
import * as statements from './identity_statements.mjs';
import { deletions } from './identity_deletions.mjs';
import { prekeys } from './identity_prekeys.mjs';
import { tokens } from './identity_tokens.mjs';
import * as cryptobox from './cryptobox_cases.mjs';
import * as session from './session_cases.mjs';
import { links } from './link_cases.mjs';
import * as safety from './safety_cases.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

function write(path, about, cases, more = {}) {
  const names = new Set(cases.map((c) => `${c.kind} ${c.name}`));
  if (names.size !== cases.length) throw new Error(`${path}: two cases have one name`);
  mkdirSync(dirname(root + path), { recursive: true });
  const file = { about, madeBy: `libsodium ${sodium.SODIUM_VERSION_STRING}, web/vectors/make.mjs`, ...more, cases };
  writeFileSync(root + path, `${JSON.stringify(file, null, 1)}\n`);
}

write('identity/testdata/seeds.json', 'seeds and their public keys (S1)', keys.seeds());
write('identity/testdata/ids.json', 'ids and their text (S3, S4)', keys.ids());
write('identity/testdata/keys.json', 'public keys (S2.1, S2.3, S2.4)', keys.keys());
write('identity/testdata/signatures.json', 'signatures (S2.2)', keys.signatures());
write('identity/testdata/entries.json', 'entries (S4)', statements.entries());
write('identity/testdata/lists.json', 'device lists, each alone (S3)', statements.lists());
write('identity/testdata/chains.json', 'chains: expect is about the last statement, the others are accepted (S3, S4.4)', statements.chains());
write('identity/testdata/prekeys.json', 'prekeys, each looked at as one of this user and signing key (R2)', prekeys());
write('identity/testdata/deletions.json', 'deletions of users (S7)', deletions());
write('identity/testdata/tokens.json', 'tokens; user is whose device is registered (S6)', tokens());
write('cryptobox/testdata/content.json', 'content (C)', cryptobox.contents());
write('cryptobox/testdata/checks.json', 'content against what it was delivered under (C1.1, C2.1)', cryptobox.checks());
write('cryptobox/testdata/padding.json', 'padded lengths (C3.1)', cryptobox.paddings());
write('cryptobox/testdata/box_libsodium.json', 'boxes (B)', cryptobox.boxes());
write('cryptobox/testdata/safety.json', 'safety numbers, and what is compared with them (F)', [...safety.numbers(), ...safety.comparisons()]);
write('cryptobox/testdata/link.json', 'links: secret, codes and what lies in the slot, by step (L)', links());
write('cryptobox/testdata/pqxdh.json', 'agreement and first message (R1); base names the case whose prekeys are used', session.agreements());
write('cryptobox/testdata/ratchet.json', 'steps of the ratchet (R3)', session.ratchetSteps());
write('cryptobox/testdata/session_script.json', 'one conversation, step by step (R3, R4)', [], session.script());
write('cryptobox/testdata/example.json', 'one message from keys to box', [], {
  ...statements.example(), ...cryptobox.example(),
});
