// Several tabs, one device: the tab whose worker holds the lock leads, and does the calls of the others.
import { failure, fromPlain, plain } from './errors.js';

/** Bounds of calls that wait for a leader, and of answers that it remembers. */
const MAX_WAITING = 256;
const MAX_REMEMBERED = 512;

/**
 * The channel between the tabs of a profile. Messages: `who` · `leader` {status} · `call` · `answer` · `event` · `prompt` and
 * `prompted` for questions to the tab that called · `abort` · `hears` · `erasing` · `connect`.
 */
export class Tabs {
  #channel;
  #tab = crypto.randomUUID();
  #last = 0;
  /** @type {Map<string, object>} calls of this tab that wait for an answer */
  #waiting = new Map();
  /** @type {Map<string, {answer: Promise<object>, abort: AbortController}>} calls of other tabs that are under way */
  #underWay = new Map();
  /** @type {Map<string, {answer: Promise<object>}>} the last of those that are done */
  #done = new Map();
  /** @type {Map<string, (value: unknown) => void>} */
  #prompted = new Map();
  #perform = null;
  #status = null;

  /**
   * @param {string} profile
   * @param {object} on
   * @param {(status: object) => void} on.leader another tab leads
   * @param {(event: string, value: object) => void} on.event of the tab that leads
   * @param {() => void} on.erasing all tabs have to let go
   * @param {() => void} on.hears a following tab listens to notices
   * @param {() => void} on.connect a following tab wants to be connected
   */
  constructor(profile, on) {
    this.on = on;
    this.#channel = new BroadcastChannel(`letterlock/${profile}`);
    this.#channel.addEventListener('message', ({ data }) => this.#receive(data));
    this.#post({ type: 'who' });
  }

  /** This tab leads from now on. @param {(method: string, params: object, context: object) => Promise<unknown>} perform */
  lead(perform, status) {
    this.#perform = perform;
    this.#status = status;
    this.#post({ type: 'leader', status: status() });
    for (const call of [...this.#waiting.values()]) this.#doOwn(call);
    this.#waiting.clear();
  }

  get leads() {
    return this.#perform !== null;
  }

  /** Tells the other tabs of an event. */
  tell(event, value) {
    this.#post({ type: 'event', event, value });
  }

  hear() {
    this.#post({ type: 'hears' });
  }

  connect() {
    this.#post({ type: 'connect' });
  }

  erasing() {
    this.#post({ type: 'erasing' });
  }

  /**
   * Has a call done, here or in the tab that leads.
   *
   * @param {string} method
   * @param {object} params
   * @param {{prompt?: object, signal?: AbortSignal}} [context]
   */
  call(method, params, context = {}) {
    if (this.#perform) return this.#perform(method, params, context);
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(fromPlain({ code: 'busy', message: 'too much at once; try again' }));
    }
    return new Promise((resolve, reject) => {
      const id = `${this.#tab}/${++this.#last}`;
      const call = { id, method, params, context, resolve, reject, asked: false };
      this.#waiting.set(id, call);
      context.signal?.addEventListener('abort', () => this.#post({ type: 'abort', id }));
      this.#ask(call);
    });
  }

  #ask({ id, method, params, context, asked }) {
    this.#post({ type: 'call', id, method, params, repeated: asked });
    this.#waiting.get(id).asked = true;
    if (context.signal?.aborted) this.#post({ type: 'abort', id }); // nobody may have heard it the first time
  }

  /** A call that has waited for a leader until this tab became it. */
  #doOwn({ method, params, context, asked, resolve, reject }) {
    this.#perform(method, params, { ...context, repeated: asked }).then(resolve, reject);
  }

  #receive(data) {
    const { type, id } = data;
    if (this.#perform) {
      if (type === 'who') this.#post({ type: 'leader', status: this.#status() });
      else if (type === 'call') this.#answer(data);
      else if (type === 'prompted') this.#prompted.get(id)?.(data.value);
      else if (type === 'abort') this.#underWay.get(id)?.abort.abort(failure('aborted'));
      else if (type === 'hears') this.on.hears();
      else if (type === 'connect') this.on.connect();
      return;
    }
    if (type === 'leader') this.#follow(data.status);
    else if (type === 'event') this.on.event(data.event, data.value);
    else if (type === 'answer') this.#settle(data);
    else if (type === 'prompt') this.#prompt(data);
    else if (type === 'erasing') this.on.erasing();
  }

  /** Another tab leads, since now or since before: it remembers what it has done. */
  #follow(status) {
    this.on.leader(status);
    for (const call of this.#waiting.values()) this.#ask(call);
  }

  #settle({ id, result, error }) {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) call?.reject(fromPlain(error));
    else call?.resolve(result);
  }

  /** Does a call of another tab's, once. */
  async #answer({ id, method, params, repeated }) {
    if (!this.#underWay.has(id) && !this.#done.has(id)) this.#begin(id, method, params, repeated);
    const answer = await (this.#underWay.get(id) ?? this.#done.get(id)).answer;
    this.#post({ type: 'answer', id, ...answer });
  }

  #begin(id, method, params, repeated) {
    const abort = new AbortController();
    const context = { prompt: this.#prompter(id), signal: abort.signal, repeated };
    const answer = this.#perform(method, params, context)
      .then(
        (result) => ({ result }),
        (error) => ({ error: plain(error) }),
      )
      .finally(() => {
        this.#underWay.delete(id);
        this.#done.set(id, { answer });
        if (this.#done.size > MAX_REMEMBERED) this.#done.delete(this.#done.keys().next().value);
      });
    this.#underWay.set(id, { answer, abort });
  }

  /** Asks the user in the tab that has called. */
  #prompter(id) {
    return {
      show: (...args) => this.#post({ type: 'prompt', id, name: 'show', args }),
      confirm: (...args) => {
        this.#post({ type: 'prompt', id, name: 'confirm', args });
        return new Promise((resolve) => {
          this.#prompted.set(id, resolve);
        }).finally(() => this.#prompted.delete(id));
      },
    };
  }

  async #prompt({ id, name, args }) {
    const prompt = this.#waiting.get(id)?.context.prompt;
    if (!prompt) return;
    if (name === 'show') prompt.show(...args);
    else if (name === 'confirm') {
      const value = await Promise.resolve(prompt.confirm(...args)).catch(() => false);
      this.#post({ type: 'prompted', id, value });
    }
  }

  #post(message) {
    this.#channel?.postMessage(message);
  }

  close() {
    for (const { reject } of this.#waiting.values()) reject(failure('closed'));
    this.#waiting.clear();
    this.#channel.close();
    this.#channel = null;
  }
}
