// Hands what came in to the program's listeners, once each and in order.

const PAGE = 50;
/** How long the records wait for what is shown: other calls are more urgent. */
const QUIET_MS = 100;

export class Notices {
  #listening = false;
  #catchingUp = false;
  #recording = false;
  /** Notices wait among the records that were not shown here: those of another time, or from before anybody listened. */
  #behind = true;
  /** Numbers of what was shown, and is to be recorded as handed over. */
  #shown = [];

  /** @param {import('./core.js').Core} core @param {(notice: object) => void} show */
  constructor(core, show) {
    this.core = core;
    this.show = show;
  }

  /** From now on somebody listens; until then notices wait among the records. */
  listen() {
    this.#listening = true;
    this.run();
  }

  /** Takes the notices of a step, which are durable. */
  add(notices) {
    if (!this.#listening || this.#behind) return this.run();
    this.#showAll(notices);
    return this.#record();
  }

  /** Shows what waits among the records. */
  async run() {
    if (!this.#listening || this.#catchingUp || !this.#behind) return;
    this.#catchingUp = true;
    try {
      while (this.#behind) await this.#catchUp();
    } catch {
      // It comes again, with the next step that has a notice.
    } finally {
      this.#catchingUp = false;
    }
  }

  async #catchUp() {
    // What a step adds while this is read is either in the page, or makes the next page.
    const page = await this.core.call('waiting', { after: 0, limit: PAGE });
    if (page.length === 0) {
      this.#behind = false;
      return;
    }
    this.#showAll(page);
    await this.#handOver();
  }

  #showAll(notices) {
    for (const { number, cursor: _, ...notice } of notices) {
      this.show(notice);
      this.#shown.push(number);
    }
  }

  /** Records what was shown, once those to whom it was shown have read what they want. */
  async #record() {
    if (this.#recording) return;
    this.#recording = true;
    try {
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      await this.#handOver();
    } catch {
      this.#behind = true; // what was not recorded comes again, with the next step that has a notice
    } finally {
      this.#recording = false;
    }
  }

  async #handOver() {
    while (this.#shown.length > 0) await this.core.step('handedOver', { numbers: this.#shown.splice(0, PAGE) });
  }
}
