// Hands what came in to the program's listeners, once each and in order.

const PAGE = 50;

export class Notices {
  #listening = false;
  #running = false;
  #again = false;

  /** @param {import('./core.js').Core} core @param {(notice: object) => void} show */
  constructor(core, show) {
    this.core = core;
    this.show = show;
  }

  /** From now on somebody listens; until then notices wait among the records. */
  listen() {
    if (this.#listening) return;
    this.#listening = true;
    this.run();
  }

  /** Hands over all that waits. */
  async run() {
    if (!this.#listening) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    try {
      do {
        this.#again = false;
        await this.#handOver();
      } while (this.#again);
    } catch {
      // What was not recorded as handed over comes again.
    } finally {
      this.#running = false;
    }
  }

  async #handOver() {
    for (;;) {
      const page = await this.core.call('waiting', { after: 0, limit: PAGE });
      if (page.length === 0) return;
      for (const { number, cursor: _, ...notice } of page) {
        this.show(notice);
        await this.core.step('handedOver', { number });
      }
    }
  }
}
