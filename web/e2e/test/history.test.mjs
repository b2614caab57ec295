// A long history: 10,000 messages with one person, who wrote them while nobody was there to read.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { Client } from '../client.mjs';
import { crowd, quietest } from '../measure.mjs';
import { Server } from '../../testing/programs.mjs';

const MESSAGES = 10_000;
/** Longer tasks of the page's main thread are felt while typing. */
const LONG_TASK_MS = 50;
/** A longer frame is seen as a jerk. */
const JERK_MS = 100;
/** So many frames of a hundred may be such. */
const MOST_JERKS = 0.03;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Notes the page's long tasks from now on; gives what tells their lengths in milliseconds. */
async function longTasks(page) {
  await page.evaluate(() => {
    const tasks = [];
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
    observer.observe({ type: 'longtask' });
    window.longTasks = () => {
      tasks.push(...observer.takeRecords());
      observer.disconnect();
      return tasks.map(({ duration }) => Math.round(duration));
    };
  });
  return () => page.evaluate(() => window.longTasks());
}

/** Turns the wheel upwards, a step a frame, and gives how long each frame took and whether it showed nothing. */
function scrollUp(client, steps) {
  return client.messages.evaluate(async (list, steps) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const middle = () => {
      const { left, top, width, height } = list.getBoundingClientRect();
      return [0.25, 0.5, 0.75].some((part) =>
        [0.1, 0.3, 0.7, 0.9].some((across) => document.elementFromPoint(left + width * across, top + height * part)?.closest('article')),
      );
    };
    const frames = [];
    for (let last = await frame(), i = 0; i < steps; i++) {
      list.scrollBy(0, -120);
      const now = await frame();
      frames.push({ ms: now - last, blank: !middle() });
      last = now;
    }
    return frames;
  }, steps);
}

test('typing and scrolling stay smooth in a history of 10,000 messages', async (t) => {
  const server = await Server.start(t, { LETTERLOCK_MAILBOX_MAX_MESSAGES_PER_SENDER: String(MESSAGES) });
  const alice = await Client.open(t, browser, server.url);
  await alice.begin('Alice');
  await alice.online();
  const { id } = await alice.share();
  await crowd(server.url, id, { users: 1, messages: MESSAGES });
  await alice.list.getByRole('button', { name: new RegExp(`1\\.${MESSAGES}\\b`) }).click({ timeout: 500_000 });
  await alice.shows(`1.${MESSAGES}`);

  const typing = await quietest(async () => {
    const tasks = await longTasks(alice.page);
    await alice.composer.pressSequentially('nothing may stand still while this is typed, whatever lies above ', { delay: 20 });
    const long = await tasks();
    t.diagnostic(`typing: ${long.length ? `tasks of ${long.join(', ')} ms` : 'no task above 50 ms'}`);
    return Math.max(0, ...long);
  }, LONG_TASK_MS);
  assert.ok(typing <= LONG_TASK_MS, `a task of ${typing} ms while typing`);

  const jerks = await quietest(async () => {
    const frames = await scrollUp(alice, 300);
    const [slow, blank] = [frames.filter(({ ms }) => ms > JERK_MS).length, frames.filter((frame) => frame.blank).length];
    const longest = Math.round(Math.max(...frames.map(({ ms }) => ms)));
    t.diagnostic(`scrolling: ${frames.length} frames, ${slow} above ${JERK_MS} ms, the longest ${longest} ms; ${blank} without a message`);
    return (slow + blank) / frames.length;
  }, MOST_JERKS);
  assert.ok(jerks <= MOST_JERKS, `${Math.round(100 * jerks)} % of the frames took longer than ${JERK_MS} ms, or showed nothing`);
  const drawn = await alice.messages.locator('article').count();
  assert.ok(drawn > 3 && drawn < 300, `${drawn} messages are in the page at once`);

  await alice.button('To the newest message').click();
  await alice.shows(`1.${MESSAGES}`);
});
