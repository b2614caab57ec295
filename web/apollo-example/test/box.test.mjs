import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkKey, Refused } from '../box.mjs';

test('B1: a key that another list version holds opens nothing that names this one', () => {
  const [old, current] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const peer = { entry: (version) => [undefined, { boxKey: old }, { boxKey: current }, {}][version] };
  const named = (listVersion, boxKey) => () => checkKey(peer, { senderDeviceId: 'd' }, { sender: { listVersion } }, boxKey);
  named(1, old)();
  named(2, current)();
  for (const wrong of [named(2, old), named(1, current), named(3, current), named(4, current)]) assert.throws(wrong, Refused);
});
