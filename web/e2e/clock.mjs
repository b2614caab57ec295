// A computer whose clock is wrong: what its pages and their worker take for the time.

/** Runs in a page or in a worker, before anything else there. */
function shift(offset) {
  const Real = Date;
  const now = () => Real.now() + offset;
  new BroadcastChannel('test-clock').onmessage = ({ data }) => {
    offset = data;
  };
  globalThis.Date = new Proxy(Real, {
    construct: (_, args, made) => Reflect.construct(Real, args.length > 0 ? args : [now()], made),
    get: (_, name) => (name === 'now' ? now : Reflect.get(Real, name)),
  });
}

export class Clock {
  /**
   * Takes over the clock of a profile that has opened nothing yet.
   *
   * @param {import('./browser.mjs').Profile} profile
   * @param {number} offset by how much it is ahead, in milliseconds
   */
  static async of({ context }, offset = 0) {
    await context.addInitScript(shift, offset);
    await context.route(/worker[^/]*\.js/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `(${shift})(${offset});\n${await response.text()}` });
    });
    return new Clock();
  }

  /** Sets it, in all tabs of the page's profile. */
  async move(page, offset) {
    await page.evaluate((offset) => new BroadcastChannel('test-clock').postMessage(offset), offset);
  }
}
