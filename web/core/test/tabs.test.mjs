// Tabs without a browser: Node has the same BroadcastChannel.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tabs } from '../src/tabs.js';

const quiet = { leader() {}, event() {}, erasing() {}, hears() {}, connect() {} };

function tab(t, profile, on = {}) {
  const made = new Tabs(profile, { ...quiet, ...on });
  t.after(() => made.close());
  return made;
}

test('a call of a following tab is done once, however often it is asked', { timeout: 20_000 }, async (t) => {
  const profile = crypto.randomUUID();
  let done = 0;
  const leader = tab(t, profile);
  const follower = tab(t, profile);
  const answer = follower.call('send', { text: 'one' });
  // The leader announces itself twice: the call is asked for again each time.
  const perform = async (_method, { text }) => `${text} ${++done}`;
  leader.lead(perform, () => ({}));
  leader.lead(perform, () => ({}));
  assert.equal(await answer, 'one 1');
  assert.equal(await follower.call('send', { text: 'two' }), 'two 2');
});

test('a tab that comes to lead does what it waited for itself, and says that it was asked before', { timeout: 20_000 }, async (t) => {
  const follower = tab(t, crypto.randomUUID());
  const answer = follower.call('send', { text: 'one' });
  follower.lead(async (_method, { text }, { repeated }) => [text, repeated], () => ({}));
  assert.deepEqual(await answer, ['one', true]);
});

test('errors keep their code across tabs', { timeout: 20_000 }, async (t) => {
  const profile = crypto.randomUUID();
  const leader = tab(t, profile);
  leader.lead(async () => {
    throw Object.assign(new Error('no'), { code: 'text-empty' });
  }, () => ({}));
  await assert.rejects(tab(t, profile).call('send', {}), { name: 'LetterlockError', code: 'text-empty', message: 'no' });
});

test('questions go to the tab that has called, and an end comes from there', { timeout: 20_000 }, async (t) => {
  const profile = crypto.randomUUID();
  const leader = tab(t, profile);
  const ended = new AbortController();
  leader.lead(async (_method, _params, { prompt, signal }) => {
    prompt.show('code', 1);
    const yes = await prompt.confirm({ user: 'u' });
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
      prompt.show('ready', 2);
    });
    return yes;
  }, () => ({}));
  const shown = [];
  const prompt = {
    show: (code) => {
      shown.push(code);
      if (code === 'ready') ended.abort();
    },
    confirm: async ({ user }) => user === 'u',
  };
  assert.equal(await tab(t, profile).call('join', {}, { prompt, signal: ended.signal }), true);
  assert.deepEqual(shown, ['code', 'ready']);
});

test('a call that takes long is done once, whatever else is called meanwhile, and can still be ended', { timeout: 20_000 }, async (t) => {
  const profile = crypto.randomUUID();
  const leader = tab(t, profile);
  let links = 0;
  const perform = async (method, _params, { signal }) => {
    if (method !== 'linkDevice') return method;
    links++;
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    return 'ended';
  };
  leader.lead(perform, () => ({}));
  const follower = tab(t, profile);
  const ended = new AbortController();
  const link = follower.call('linkDevice', {}, { signal: ended.signal });
  for (let i = 0; i < 700; i++) await follower.call('history', {});
  leader.lead(perform, () => ({})); // as it says when another tab opens
  await follower.call('history', {});
  assert.equal(links, 1);
  ended.abort();
  assert.equal(await link, 'ended');
});

test('who has ended a call before a tab leads has ended it', { timeout: 20_000 }, async (t) => {
  const profile = crypto.randomUUID();
  const leader = tab(t, profile);
  const ended = new AbortController();
  const answer = tab(t, profile).call('join', {}, { signal: ended.signal });
  const other = tab(t, profile).call('join', {}, { signal: AbortSignal.abort() });
  ended.abort();
  const perform = async (_method, _params, { signal }) => {
    if (!signal.aborted) {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
    }
    return 'ended';
  };
  setTimeout(() => leader.lead(perform, () => ({})), 50); // what was said until then nobody has heard
  assert.deepEqual(await Promise.all([answer, other]), ['ended', 'ended']);
});

test('what waits for a leader is bounded', { timeout: 20_000 }, async (t) => {
  const alone = new Tabs(crypto.randomUUID(), quiet);
  const calls = Array.from({ length: 257 }, () => alone.call('self', {}));
  const ends = Promise.allSettled(calls);
  alone.close();
  const reasons = (await ends).map(({ reason }) => reason.code);
  assert.equal(reasons[256], 'busy');
  assert.equal(reasons[0], 'closed');
});
