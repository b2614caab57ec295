// The main screens over the real core and server, at two widths, light and dark: for eyes, in artifacts/client. Nothing jumps
// or complains; whether axe finds something is asked of every screen in web/app.
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { artifacts, launch } from '../browser.mjs';
import { Client } from '../client.mjs';
import { Server } from '../../testing/programs.mjs';

const WIDTHS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 800 } };

let browser;
before(async () => {
  browser = await launch();
  await mkdir(`${artifacts}client`, { recursive: true });
});
after(() => browser?.close());

async function pictures({ page }, name) {
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))); // colours fade
      await page.waitForFunction(() => document.getAnimations().every(({ playState }) => playState !== 'running'));
      await page.screenshot({ path: `${artifacts}client/${name}-${width}-${colorScheme}.png` });
    }
  }
  await page.setViewportSize(WIDTHS.desktop);
}

test('the main screens, for eyes', async (t) => {
  const server = await Server.start(t);
  const [alice, bob] = await Promise.all([Client.open(t, browser, server.url), Client.open(t, browser, server.url)]);
  await alice.page.getByLabel('Your name').waitFor();
  await pictures(alice, 'welcome');
  await Promise.all([alice.begin('Alice'), bob.begin('Bob')]);
  await bob.add((await alice.share()).link);
  await bob.send('Are you coming on Saturday?');
  await alice.list.getByRole('button', { name: /Saturday/ }).click();
  await alice.shows('Are you coming on Saturday?');
  await pictures(alice, 'stranger');
  await alice.add((await bob.share()).link);
  await alice.send('Yes, and I bring soup.');
  await bob.shows('Yes, and I bring soup.');
  await bob.send('A long message takes several lines, wherever it is read: on a phone it takes many more than at a desk, and nothing of it is cut off.');
  await alice.send('Good.');
  await bob.shows('Good.');
  await alice.state('Good.', 'Delivered');
  await pictures(alice, 'conversation');

  await alice.page.getByRole('button', { name: 'About Bob' }).click();
  await alice.page.getByRole('img', { name: 'QR code of the safety number' }).waitFor();
  await pictures(alice, 'person');
  await alice.close();
  await alice.button('Share my link').first().click();
  await alice.page.getByRole('img', { name: 'QR code of my link' }).waitFor();
  await pictures(alice, 'share');
  await alice.close();
  const settings = await alice.settings();
  await settings.waitFor();
  await pictures(alice, 'settings');
  await settings.getByRole('button', { name: 'Linked devices' }).click();
  await alice.page.getByText('This device', { exact: true }).waitFor();
  await pictures(alice, 'devices');
  await alice.page.keyboard.press('Escape');
  await alice.page.getByText('This device', { exact: true }).waitFor({ state: 'hidden' });
  await alice.close();
  await alice.page.getByRole('searchbox', { name: 'Search' }).fill('soup');
  await alice.page.getByText('1 message', { exact: true }).waitFor();
  await pictures(alice, 'search');
});
