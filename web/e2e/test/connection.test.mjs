// What stands in the way of a connection besides the network: the same device in another place, and a clock that is wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Profile } from '../browser.mjs';
import { Client } from '../client.mjs';
import { Clock } from '../clock.mjs';
import { Person, Server } from '../../testing/programs.mjs';

const HOUR = 3600_000;
const DAY = 24 * HOUR;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** The newest frame of each type that a page has sent over its sockets. */
function framesOf(page) {
  const newest = {};
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      const frame = JSON.parse(payload);
      newest[frame.type] = frame;
    });
  });
  return newest;
}

/** Another place with the keys of a device, as a copy of its browser's profile would be: it subscribes as that one did. */
async function elsewhere(t, server, { connection_init: init, subscribe }) {
  const page = await (await Profile.open(t, browser, server.url)).page();
  await page.goto(`${server.url}/playground/`);
  await page.evaluate(
    ([url, init, subscribe]) => {
      window.taken = [];
      const socket = new WebSocket(url, 'graphql-transport-ws');
      socket.onopen = () => socket.send(JSON.stringify(init));
      socket.onmessage = ({ data }) => {
        window.taken.push(data);
        if (JSON.parse(data).type === 'connection_ack') socket.send(JSON.stringify(subscribe));
      };
    },
    [`${server.url.replace('http', 'ws')}/graphql`, init, subscribe],
  );
  return {
    /** Waits until it has got something. */
    gets: (text) => page.waitForFunction((text) => window.taken.some((frame) => frame.includes(text)), text),
  };
}

test('who is online in another place is told, and is back here when they want', async (t) => {
  const server = await Server.start(t);
  const alice = await Client.blank(t, browser, server.url);
  const frames = framesOf(alice.page);
  await alice.goto();
  await alice.begin('Alice');
  await alice.online();
  const { id } = await alice.share();
  const second = await Client.in(alice.profile);
  await second.online();
  const carol = await Person.arrive(t, server.url, { boxes: false });

  const other = await elsewhere(t, server, frames);
  for (const tab of [alice, second]) await tab.connection.getByText('Letterlock runs with this device in another place.').waitFor();
  await carol.letter('send', id, 'where are you?');
  await other.gets('"messageReceived"');
  // It does not take the place back by itself, or the two would go on for ever.
  assert.equal(await alice.connection.getAttribute('data-state'), 'superseded');
  assert.equal(await alice.list.getByText('where are you?').count(), 0);

  await second.button('Use here').click(); // a tab that follows
  await other.gets('SUPERSEDED');
  for (const tab of [alice, second]) {
    await tab.online();
    await tab.list.getByText('where are you?').waitFor();
    await tab.button('Use here').waitFor({ state: 'detached' });
  }
  await alice.list.getByRole('button', { name: /where are you/ }).click();
  await alice.send('here');
  await alice.state('here', 'Sent');
  assert.match(await carol.letter('inbox'), /here/);
});

test('a clock that is wrong by days is told when something is written, and what was written goes out once it is right', async (t) => {
  const server = await Server.start(t);
  const alice = await Client.blank(t, browser, server.url);
  const clock = await Clock.of(alice.profile);
  await alice.goto();
  await alice.begin('Alice');
  await alice.online();
  const { id } = await alice.share();
  const carol = await Person.arrive(t, server.url, { boxes: false });
  await alice.add(carol.id, 'Carol');
  await alice.send('in time');
  await alice.state('in time', 'Sent');

  for (const wrong of [2 * DAY, -2 * DAY]) {
    await clock.move(alice.page, wrong);
    await alice.send(`written at ${wrong}`);
    await alice.connection.getByText("This computer's clock is wrong. Set it right, and try again.").waitFor();
    await alice.state(`written at ${wrong}`, 'Sending');
    await carol.letter('send', id, `to you at ${wrong}`);
    await clock.move(alice.page, 0);
    await alice.button('Try again').click();
    await alice.shows(`to you at ${wrong}`);
    await alice.state(`written at ${wrong}`, 'Sent');
    await alice.button('Try again').waitFor({ state: 'detached' });
  }
  assert.deepEqual((await carol.letter('inbox')).match(/in time|written at -?\d+/g), ['in time', `written at ${2 * DAY}`, `written at ${-2 * DAY}`]);
});

test('a clock that is wrong from the beginning is told, and the person is in once it is right', async (t) => {
  const server = await Server.start(t);
  const alice = await Client.blank(t, browser, server.url);
  const clock = await Clock.of(alice.profile, 30 * DAY);
  await alice.goto();
  await alice.begin('Alice');
  await alice.connection.getByText("This computer's clock is wrong").waitFor();
  await clock.move(alice.page, 0);
  await alice.button('Try again').click();
  await alice.online();
});

test('who lags hours behind is in nobody’s way', async (t) => {
  const server = await Server.start(t);
  const alice = await Client.blank(t, browser, server.url);
  await Clock.of(alice.profile, -20 * HOUR);
  await alice.goto();
  await alice.begin('Alice');
  await alice.online();
  const carol = await Person.arrive(t, server.url, { boxes: false });
  await carol.letter('send', (await alice.share()).id, 'good evening');
  await alice.list.getByRole('button', { name: /good evening/ }).click();
  await alice.send('good morning');
  await alice.state('good morning', 'Sent');
  assert.match(await carol.letter('inbox'), /good morning/);
  assert.equal(await alice.connection.getAttribute('data-state'), 'online');
});

test('who is hours ahead reads, and is told when they write: their messages would come from the future', async (t) => {
  const server = await Server.start(t);
  const alice = await Client.blank(t, browser, server.url);
  const clock = await Clock.of(alice.profile, 20 * HOUR);
  await alice.goto();
  await alice.begin('Alice');
  await alice.online();
  const carol = await Person.arrive(t, server.url, { boxes: false });
  await carol.letter('send', (await alice.share()).id, 'good morning');
  await alice.list.getByRole('button', { name: /good morning/ }).click();
  await alice.send('good evening');
  await alice.connection.getByText("This computer's clock is wrong").waitFor();
  await alice.state('good evening', 'Sending');
  await clock.move(alice.page, 0);
  await alice.button('Try again').click();
  await alice.state('good evening', 'Sent');
  assert.deepEqual((await carol.letter('inbox')).match(/good evening/g), ['good evening']);
});
