// Codes between two screens: out of a picture, and by a camera, which for these tests films a file. And what the system tells.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { Client, strangers } from '../client.mjs';
import { Server, temporaryDirectory } from '../../testing/programs.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const png = (buffer) => ({ name: 'code.png', mimeType: 'image/png', buffer });

/** A film of one picture, as YUV4MPEG2: its greys, and no colour. */
async function film(page, picture) {
  const { width, height, greys } = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const [width, height] = [640, 480];
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, (width - 400) / 2, 40, 400, 400);
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, greys: Array.from({ length: width * height }, (_, i) => data[4 * i + 1]) };
  }, picture.toString('base64'));
  const frame = Buffer.concat([Buffer.from('FRAME\n'), Buffer.from(greys), Buffer.alloc((width * height) / 2, 128)]);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F5:1 Ip A1:1 C420jpeg\n`), frame, frame]);
}

/** The code of one's own link, as it stands on the screen. */
async function codeOf(client) {
  await client.button('Share my link').first().click();
  const picture = await client.page.getByRole('img', { name: 'QR code of my link' }).screenshot();
  await client.close();
  return picture;
}

test('somebody is added by a picture of their code, and compared by another one', async (t) => {
  const server = await Server.start(t);
  const [alice, bob] = await strangers(t, browser, server);
  await bob.button('Add a contact').first().click();
  const dialog = bob.dialog('Add a contact');
  await dialog.getByLabel('Picture of a code').setInputFiles(png(await alice.page.screenshot()));
  await dialog.getByRole('alert').filter({ hasText: 'No code was found' }).waitFor();
  await dialog.getByLabel('Picture of a code').setInputFiles(png(await codeOf(alice)));
  await dialog.getByLabel('Name').waitFor();
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'Alice');
  await dialog.getByRole('button', { name: 'Add contact' }).click();
  await bob.send('I have scanned you');
  await alice.list.getByRole('button', { name: /scanned/ }).click();
  await alice.shows('I have scanned you');

  // Each has the other's number on the screen; Bob takes a picture of Alice's, and then of a stranger's.
  await alice.page.getByRole('button', { name: /^About / }).click();
  const theirs = await alice.page.getByRole('img', { name: 'QR code of the safety number' }).screenshot();
  await bob.page.getByRole('button', { name: 'About Alice' }).click();
  await bob.page.getByRole('button', { name: 'Compare with Alice' }).click();
  const panel = bob.dialog('About this person');
  await panel.getByLabel('Picture of a code').setInputFiles(png(theirs));
  await panel.getByText('You compared it on').waitFor();
});

test('a camera reads the code; without one, words say what to do', async (t) => {
  const server = await Server.start(t);
  const [alice, bob] = await strangers(t, browser, server);
  await bob.button('Add a contact').first().click();
  await bob.button('Scan with camera').click();
  await bob.dialog('Add a contact').getByRole('alert').filter({ hasText: 'The camera cannot be used here' }).waitFor();

  const file = join(await temporaryDirectory(t), 'code.y4m');
  await writeFile(file, await film(alice.page, await codeOf(alice)));
  const filming = await launch([
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-video-capture=${file}`,
  ]);
  t.after(() => filming.close());
  const carol = await Client.open(t, filming, server.url);
  await carol.begin('Carol');
  await carol.button('Add a contact').first().click();
  const dialog = carol.dialog('Add a contact');
  await carol.button('Scan with camera').click();
  await dialog.getByLabel('Name').waitFor();
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'Alice');
  assert.equal(await dialog.locator('video').count(), 0, 'the camera goes on');
});

test('the system tells of a message while nobody looks, and not what it says', async (t) => {
  const server = await Server.start(t);
  const [alice, bob] = await strangers(t, browser, server);
  await bob.add((await alice.share()).link);
  await alice.add((await bob.share()).link);
  // Headless browsers show no notifications: this one writes them down.
  await alice.page.evaluate(() => {
    window.told = [];
    window.Notification = class {
      static permission = 'granted';
      static requestPermission = async () => 'granted';
      constructor(title, options) {
        window.told.push(JSON.stringify({ title, ...options }));
      }
    };
  });
  const settings = await alice.settings();
  await settings.getByLabel('Notify me of new messages').click();
  await settings.getByRole('switch', { name: 'Notify me of new messages', checked: true }).waitFor();
  await alice.close();
  await bob.send('while you look');
  await alice.list.getByRole('button', { name: /while you look/ }).waitFor();
  await alice.page.evaluate(() => {
    document.hasFocus = () => false;
  });
  await bob.send('while you are away');
  await alice.page.waitForFunction(() => window.told.length > 0);
  const told = await alice.page.evaluate(() => window.told);
  assert.equal(told.length, 1);
  assert.match(told[0], /New message from Bob/);
  assert.doesNotMatch(told[0], /away/);
});
