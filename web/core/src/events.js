// Listeners of a few named events.

export class Emitter {
  /** @type {Map<string, Set<Function>>} */
  #listeners = new Map();

  /** @returns {() => void} takes the listener away */
  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(listener);
    return () => this.#listeners.get(event).delete(listener);
  }

  has(event) {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  /** What a listener throws is reported where the page reports its errors, and stops nobody else. */
  emit(event, value) {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        listener(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
