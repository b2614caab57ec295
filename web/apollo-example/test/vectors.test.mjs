// The known answers that lie beside the Go code, passed by this second implementation. What is not here this client does
// not do: it verifies no tokens, and reads no ids but those that it makes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkContext } from '../box.mjs';
import { ascii, Reader, sha256, sodium } from '../bytes.mjs';
import { decodeContent, encodeContent, paddedLength } from '../content.mjs';
import { Chain, deviceIdOf, parseEntry, parseList, userIdOf, verify, x25519Key } from '../identity.mjs';
import { stringify as stringifyUuid } from 'uuid';

const hex = sodium.from_hex;

/** One test a case: `act` accepts it if it expects ok, else throws; what comes before it, `prepare` has to accept. */
function vectors(path, act, { belongs = () => true, prepare = () => undefined } = {}) {
  const { cases } = JSON.parse(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8'));
  const ours = cases.filter(belongs);
  test(path, async (t) => {
    assert.ok(ours.length > 0, 'no cases');
    for (const [index, vector] of ours.entries()) {
      await t.test(`${vector.name} (${vector.rule}, ${index})`, () => {
        const before = prepare(vector);
        if (vector.expect === 'ok') act(vector, before);
        else assert.throws(() => act(vector, before));
      });
    }
  });
}

vectors('identity/testdata/seeds.json', ({ kind, seed, key }) => {
  const publicKey =
    kind === 'ed25519' ? sodium.crypto_sign_seed_keypair(hex(seed)).publicKey : sodium.crypto_scalarmult_base(hex(seed));
  assert.deepEqual(publicKey, hex(key));
});

vectors(
  'identity/testdata/ids.json',
  ({ kind, key, text }) => {
    const hash = sha256(ascii(`letterlock/${kind}/v1`), hex(key)).slice(0, 20);
    assert.equal(kind === 'user' ? userIdOf(hash) : deviceIdOf(hash), text);
  },
  { belongs: ({ key }) => key !== undefined },
);

vectors('identity/testdata/keys.json', ({ key }) => x25519Key(hex(key)), {
  belongs: ({ kind }) => kind === 'x25519',
});

vectors('identity/testdata/signatures.json', ({ key, message, signature }) =>
  verify(hex(signature), hex(message), hex(key), 'the vector'),
);

vectors('identity/testdata/entries.json', ({ statement }) => {
  const reader = new Reader(hex(statement));
  parseEntry(reader, hex(statement).slice(19, 39));
  assert.equal(reader.left, 0);
});

vectors('identity/testdata/lists.json', ({ statement, hash }) => {
  const list = parseList(hex(statement), signerOf(statement));
  assert.deepEqual(list.hash, hex(hash));
});

/** The user whose key is in a list. */
const signerOf = (list) => userIdOf(sha256(ascii('letterlock/user/v1'), hex(list).slice(25, 57)).slice(0, 20));

vectors('identity/testdata/chains.json', ({ statements }, chain) => chain.extend(hex(statements.at(-1))), {
  prepare: ({ user, statements }) => extend(userIdOf(hex(user)), statements.slice(0, -1)),
});

function extend(userId, statements) {
  const chain = new Chain(userId);
  for (const statement of statements) chain.extend(hex(statement));
  return chain;
}

vectors('cryptobox/testdata/padding.json', ({ length, padded }) => assert.equal(paddedLength(length), padded));

vectors('cryptobox/testdata/content.json', ({ content, fields }) => {
  const decoded = decodeContent(hex(content));
  assert.equal(decoded.counter, BigInt(fields.counter));
  assert.equal(decoded.sentAt, BigInt(fields.sentAt));
  assert.deepEqual(decoded.recipient.listHash, hex(fields.recipientListHash));
  if (decoded.text !== undefined) assert.deepEqual(encodeContent(decoded), hex(content));
});

vectors('cryptobox/testdata/box_libsodium.json', ({ nonce, ciphertext, plaintext, ...keys }) => {
  const [sender, recipient] = [x25519Key(hex(keys.sender)), x25519Key(hex(keys.recipient))];
  const opened = sodium.crypto_box_open_easy(hex(ciphertext), hex(nonce), sender, hex(keys.recipientSeed));
  assert.deepEqual(opened, hex(plaintext));
  assert.deepEqual(sodium.crypto_box_easy(opened, hex(nonce), recipient, hex(keys.senderSeed)), hex(ciphertext));
});

const chainOf = (statements) => extend(statements.length > 0 ? signerOf(statements[0]) : undefined, statements);

vectors(
  'cryptobox/testdata/checks.json',
  (_, [device, chain, message, content]) => checkContext(device, chain, message, content),
  {
    prepare({ content, delivered, senderChain, recipientChain }) {
      const message = {
        messageId: stringifyUuid(hex(delivered.messageId)),
        senderUserId: userIdOf(hex(delivered.senderUser)),
        senderDeviceId: deviceIdOf(hex(delivered.senderDevice)),
      };
      const device = {
        userId: userIdOf(hex(delivered.recipientUser)),
        id: deviceIdOf(hex(delivered.recipientDevice)),
        chain: chainOf(recipientChain),
      };
      return [device, chainOf(senderChain), message, decodeContent(hex(content))];
    },
  },
);
