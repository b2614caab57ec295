// What the client may take, measured and printed. The budgets are generous for this kind of machine, and what they hold is felt.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { Client, two } from '../client.mjs';
import { crowd, quietest } from '../measure.mjs';
import { Server } from '../../testing/programs.mjs';

const LIST_MS = 2000;
const SEEN_P50_MS = 150;
/** What no machine may take: on a busy one the budget is missed, and is printed as missed. */
const SEEN_LIMIT_MS = 2 * SEEN_P50_MS;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];

test('a list of 50 conversations can be used within two seconds', async (t) => {
  const server = await Server.start(t);
  const alice = await Client.open(t, browser, server.url);
  await alice.begin('Alice');
  await alice.online();
  const { id } = await alice.share();
  await crowd(server.url, id, { users: 50, messages: 1 });
  await alice.list.getByRole('listitem').nth(49).waitFor();
  const best = await quietest(async () => {
    const times = [];
    for (let i = 0; i < 5; i++) {
      await alice.page.goto('about:blank');
      const began = performance.now();
      await alice.page.goto(server.url, { waitUntil: 'commit' });
      await alice.list.getByRole('listitem').nth(49).waitFor();
      await alice.list.getByRole('button').first().click();
      await alice.composer.waitFor();
      times.push(performance.now() - began);
    }
    t.diagnostic(`50 conversations, with one opened: ${times.map(Math.round).join(', ')} ms`);
    return median(times);
  }, LIST_MS);
  assert.ok(best < LIST_MS, `it took ${Math.round(best)} ms`);
});

test('what is sent is soon seen on the other screen', async (t) => {
  const server = await Server.start(t);
  const { alice, bob } = await two(t, browser, server);
  await bob.send('first');
  await alice.list.getByRole('button', { name: /first/ }).click();
  await alice.shows('first');
  await alice.send('second'); // both sides have turned the ratchet
  await bob.shows('second');
  let n = 0;
  const round = async () => {
    const times = [];
    for (let i = 0; i < 30; i++) {
      const [from, to] = i % 2 ? [alice, bob] : [bob, alice];
      const text = `measured ${n++}.`;
      // The moment at which it is on the screen, told by the page itself: its clock is the other page's, too.
      const seen = to.page.evaluate(
        (wanted) =>
          new Promise((resolve) => {
            const look = () => {
              const shown = [...document.querySelectorAll('[role=log] article [dir=auto]')].some(
                (e) => e.textContent === wanted,
              );
              if (shown) requestAnimationFrame(() => resolve(Date.now()));
              return shown;
            };
            if (!look()) {
              const observer = new MutationObserver(() => look() && observer.disconnect());
              observer.observe(document.body, { childList: true, subtree: true, characterData: true });
            }
          }),
        text,
      );
      await from.composer.fill(text);
      const sent = await from.page.evaluate(() => {
        const field = document.activeElement;
        const now = Date.now();
        field.dispatchEvent(
          new KeyboardEvent('keydown', { key: 'Enter', code: 'Enter', bubbles: true, cancelable: true }),
        );
        return now;
      });
      times.push((await seen) - sent);
    }
    t.diagnostic(`send to seen: p50 ${median(times)} ms, ${Math.min(...times)} to ${Math.max(...times)} ms`);
    return median(times);
  };
  const best = await quietest(round, SEEN_P50_MS);
  t.diagnostic(best < SEEN_P50_MS ? 'within the budget of 150 ms' : 'NOT within the budget of 150 ms');
  assert.ok(best < SEEN_LIMIT_MS, `p50 ${best} ms`);
});
