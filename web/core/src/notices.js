// Hands what came in to the program's listeners, once each and in order.

const PAGE = 50;
/** How long the records wait for what is shown: other calls are more urgent. */
const QUIET_MS = 100;

export class Notices {
  #listening = false;
  #running = false;
  /** Notices wait among the records that are not in the queue: those of another time, or from before anybody listened. */
  #behind = true;
  #queue = [];

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
    if (this.#behind) return this.run();
    this.#queue.push(...notices);
    if (this.#queue.length > 0) return this.run();
  }

  /** Hands over all that waits. */
  async run() {
    if (!this.#listening || this.#running) return;
    this.#running = true;
    try {
      while (this.#behind) await this.#catchUp();
      while (this.#queue.length > 0) await this.#handOver(this.#queue.splice(0));
    } catch {
      this.#behind = true; // what was not recorded as handed over comes again, with the next step that has a notice
      this.#queue = [];
    } finally {
      this.#running = false;
    }
  }

  async #catchUp() {
    // What a step adds while this is read is either in the page, or makes the next page.
    const page = await this.core.call('waiting', { after: 0, limit: PAGE });
    if (page.length === 0) this.#behind = false;
    else await this.#handOver(page);
  }

  async #handOver(notices) {
    for (const { number: _, cursor: __, ...notice } of notices) this.show(notice);
    await idle(); // whoever was shown something reads first
    for (let i = 0; i < notices.length; i += PAGE) {
      await this.core.step('handedOver', { numbers: notices.slice(i, i + PAGE).map(({ number }) => number) });
    }
  }
}

/** Lets what was just told have its turn at the device. */
const idle = () => new Promise((resolve) => setTimeout(resolve, QUIET_MS));
