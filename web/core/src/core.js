// The device in its worker: calls, and what each step tells.
import { failure, fromPlain } from './errors.js';

/** More calls than this do not wait for the worker at once. */
const MAX_WAITING = 2000;

/** Calls into a worker, answered by number. */
export class WorkerPort {
  #waiting = new Map();
  #last = 0;
  #ended = null;

  /** @param {Worker} worker @param {{event?(name: string): void}} [listener] */
  constructor(worker, { event = () => {} } = {}) {
    this.worker = worker;
    worker.addEventListener('message', ({ data }) => {
      if (data.event) event(data.event);
      else this.#answer(data);
    });
    worker.addEventListener('error', (error) => {
      error.preventDefault?.();
      this.end(fromPlain({ code: 'assets', message: 'the worker of the device could not be loaded; reload the page' }));
      event('crashed');
    });
  }

  call(method, params = {}) {
    if (this.#ended) return Promise.reject(this.#ended);
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(fromPlain({ code: 'busy', message: 'too much at once; try again' }));
    }
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, method, params });
    });
  }

  #answer({ id, result, error }) {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) call?.reject(fromPlain(error));
    else call?.resolve(result);
  }

  /** Ends the worker; what waits for it fails. */
  end(error = failure('closed')) {
    this.#ended = error;
    this.worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** The device of the leading tab. */
export class Core {
  /** What the driver does about each step. */
  onStep = () => {};

  /** @param {{call(method: string, params?: object): Promise<any>}} port */
  constructor(port) {
    this.port = port;
  }

  /** A method that reads. */
  call(method, params) {
    return this.port.call(method, params);
  }

  /** A step: what it says is durable when this resolves. */
  async step(method, params) {
    const result = await this.port.call(method, params);
    this.onStep(result);
    return result;
  }
}
