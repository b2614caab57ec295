// The web client as somebody uses it: by what is on the screen.
import { Profile } from './browser.mjs';

const escape = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** How far one's own message comes. */
const STATES = ['Sending', 'Sent', 'Delivered', 'Read'];

export class Client {
  /** @param {import('node:test').TestContext} t */
  static async open(t, browser, server, options) {
    const profile = await Profile.open(t, browser, server, options);
    return Client.in(profile);
  }

  /** A page that shows nothing yet: `goto` opens the client. */
  static async blank(t, browser, server, options) {
    const profile = await Profile.open(t, browser, server, options);
    return new Client(profile, await profile.page());
  }

  goto(path = '/') {
    return this.page.goto(this.profile.server + path);
  }

  /** Another tab of a profile. @param {Profile} profile */
  static async in(profile, path = '/') {
    const client = new Client(profile, await profile.page());
    await client.page.goto(profile.server + path);
    return client;
  }

  constructor(profile, page) {
    this.profile = profile;
    this.page = page;
    this.messages = page.getByRole('log', { name: 'Messages' });
    this.composer = page.getByRole('textbox', { name: 'Message', exact: true });
    this.list = page.getByRole('list', { name: 'Conversations' });
    this.connection = page.getByRole('status', { name: 'Connection' });
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  dialog(name) {
    return this.page.getByRole('dialog', { name });
  }

  /** Makes an identity. */
  async begin(name, { passphrase } = {}) {
    await this.page.getByLabel('Your name').fill(name);
    if (passphrase) {
      await this.page.getByLabel('Protect this browser with a passphrase').check();
      await this.page.getByLabel(/^Passphrase/).fill(passphrase);
    }
    await this.button('Start').click();
    await this.ready();
    this.named = Boolean(name);
  }

  /** Waits until it is usable. */
  ready() {
    return this.page.getByRole('navigation', { name: 'Conversations and search' }).or(this.button('Settings')).first().waitFor();
  }

  online() {
    return this.page.locator('[aria-label="Connection"][data-state="online"]').waitFor({ state: 'attached' });
  }

  /** Waits until the browser keeps the client's files. */
  installed() {
    return this.page.evaluate(async () => {
      await navigator.serviceWorker.ready;
    });
  }

  async unlock(passphrase) {
    await this.page.getByLabel(/^Passphrase/).fill(passphrase);
    await this.button('Unlock').click();
  }

  async close() {
    const close = this.page.getByRole('dialog').last();
    await this.page.keyboard.press('Escape');
    await close.waitFor({ state: 'hidden' });
  }

  /** One's own link and id, from where people copy them. */
  async share() {
    await this.button('Share my link').first().click();
    const dialog = this.dialog('My link');
    const field = dialog.getByLabel('Link', { exact: true });
    if (this.named) await field.and(this.page.locator('[value*="name="]')).waitFor(); // the name is stored once the identity is there
    const link = await field.inputValue();
    const id = await dialog.getByLabel('Id', { exact: true }).inputValue();
    await this.close();
    return { link, id };
  }

  /** Adds somebody by their link or id. */
  async add(shown, name) {
    await this.button('Add a contact').first().click();
    const dialog = this.dialog('Add a contact');
    await dialog.getByLabel('Their link or id').fill(shown);
    await dialog.getByRole('button', { name: 'Continue' }).click();
    const field = dialog.getByLabel('Name');
    await field.waitFor();
    if (name) await field.fill(name);
    await dialog.getByRole('button', { name: 'Add contact' }).click();
    await dialog.waitFor({ state: 'hidden' });
  }

  /** Opens a conversation from the list. */
  async open(name) {
    await this.list.getByRole('button', { name: new RegExp(escape(name)) }).first().click();
    await this.composer.waitFor();
  }

  async send(text) {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** A message on the screen. */
  message(text) {
    return this.messages.getByText(text, { exact: true });
  }

  shows(text) {
    return this.message(text).waitFor();
  }

  /** Waits until one's own message has come to this state, or further. */
  state(text, name) {
    return this.messages
      .getByRole('article')
      .filter({ hasText: text })
      .getByRole('img', { name: new RegExp(`^(${STATES.slice(STATES.indexOf(name)).join('|')})$`) })
      .waitFor();
  }

  async settings() {
    await this.button('Settings').first().click();
    return this.dialog('Settings');
  }
}

/** Alice and Bob in browsers of their own, who do not know each other. @returns {Promise<Client[]>} */
export async function strangers(t, browser, server, options) {
  const both = await Promise.all([Client.open(t, browser, server.url, options), Client.open(t, browser, server.url, options)]);
  await Promise.all([both[0].begin('Alice'), both[1].begin('Bob')]);
  return both;
}

/** The same two; Bob has added Alice and sees their conversation. */
export async function two(t, browser, server, options) {
  const [alice, bob] = await strangers(t, browser, server, options);
  await bob.add((await alice.share()).link);
  return { alice, bob };
}
