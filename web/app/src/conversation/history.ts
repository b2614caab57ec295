import type { Letterlock, Message, UserId } from '@letterlock/core';

const PAGE = 60;
/** Older pages are larger: each of them interrupts a scroll that is under way, if ever so little. */
const OLDER = 200;
/** How many of the newest messages are read again when something has changed; older ones hardly ever do. */
const LOOK_AGAIN = 40;
/** The place of the first message that was loaded; older ones come before it, so that nothing jumps when they are added. */
const FIRST_INDEX = 1_000_000_000;

/** The part of a conversation that is loaded: without holes, oldest first. */
export interface History {
  messages: Message[];
  /** Counts down as older messages are put before. */
  firstIndex: number;
  /** Nothing older, or nothing newer, is left to load. */
  atStart: boolean;
  atEnd: boolean;
  /** Which opening of the list this is, and the message it opened at; the newest without one. */
  opening: number;
  at?: number;
  loaded: boolean;
  error?: unknown;
}

/** Loads a conversation page by page and keeps what is loaded current. One step at a time. */
export class HistoryWindow {
  #history: History = { messages: [], firstIndex: FIRST_INDEX, atStart: false, atEnd: true, opening: 0, loaded: false };
  #listeners = new Set<() => void>();
  #steps: Promise<void> = Promise.resolve();
  #stale = false;
  #loading = false;

  constructor(
    private letterlock: Letterlock,
    private peer: UserId,
    at?: number,
  ) {
    this.#step(() => this.#open(at));
  }

  get = (): History => this.#history;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    const stop = this.letterlock.on('change', (change) => change.conversations.includes(this.peer) && this.refresh());
    if (this.#history.loaded) this.refresh(); // something may have changed while nobody looked
    return () => {
      this.#listeners.delete(listener);
      stop();
    };
  };

  /** May be asked for again before it is done. */
  loadOlder = (): void => {
    if (this.#loading || this.#history.atStart) return;
    this.#loading = true;
    this.#step(() => this.#older().finally(() => (this.#loading = false)));
  };
  loadNewer = (): void => this.#step(() => this.#newer());
  /** Leaves the place for the newest messages. */
  toEnd = (): void => this.#step(() => this.#open());

  /** Changes that come in a burst ask for one reading. */
  refresh = (): void => {
    if (this.#stale) return;
    this.#stale = true;
    this.#step(() => {
      this.#stale = false;
      return this.#refresh();
    });
  };

  #step(step: () => Promise<void>): void {
    this.#steps = this.#steps.then(step).catch((error: unknown) => this.#set({ ...this.#history, error, loaded: true }));
  }

  async #open(at?: number): Promise<void> {
    const before = at === undefined ? 0 : at + PAGE / 2;
    const limit = at === undefined ? PAGE : PAGE + PAGE / 2;
    const messages = await this.letterlock.history(this.peer, before, limit);
    const newest = at === undefined ? messages.at(-1) : (await this.letterlock.history(this.peer, 0, 1)).at(-1);
    this.#set({
      messages,
      firstIndex: FIRST_INDEX,
      atStart: messages.length < limit,
      atEnd: messages.at(-1)?.number === newest?.number,
      opening: this.#history.opening + 1,
      at,
      loaded: true,
    });
  }

  async #older(): Promise<void> {
    const { messages, atStart, firstIndex } = this.#history;
    const first = messages[0];
    if (atStart || !first) return;
    const older = await this.letterlock.history(this.peer, first.number, OLDER);
    this.#set({
      ...this.#history,
      messages: [...older, ...messages],
      firstIndex: firstIndex - older.length,
      atStart: older.length < OLDER,
    });
  }

  async #newer(): Promise<void> {
    const { messages, atEnd } = this.#history;
    const last = messages.at(-1);
    if (atEnd || !last) return;
    const read = await this.letterlock.history(this.peer, last.number + PAGE + 1, PAGE);
    const newer = read.filter(({ number }) => number > last.number);
    this.#set({ ...this.#history, messages: [...messages, ...newer], atEnd: newer.length < PAGE });
  }

  async #refresh(): Promise<void> {
    const { messages, atEnd, loaded } = this.#history;
    const last = messages.at(-1);
    if (!loaded) return;
    if (!last) return this.#open();
    let read = await this.letterlock.history(this.peer, atEnd ? 0 : last.number + 1, LOOK_AGAIN);
    while (atEnd && read[0] && read[0].number > last.number + 1) {
      const between = await this.letterlock.history(this.peer, read[0].number, LOOK_AGAIN);
      if (between.length === 0) break;
      read = [...between, ...read];
    }
    this.#set({ ...this.#history, messages: merge(messages, read), error: undefined });
  }

  #set(history: History): void {
    this.#history = history;
    for (const listener of this.#listeners) listener();
  }
}

/**
 * What was read replaces what is held, but what did not change stays the same object: its row is not drawn again. Nothing is
 * put before what is held: that would need another first index.
 */
function merge(held: Message[], read: Message[]): Message[] {
  const first = held[0]?.number ?? 0;
  const from = Math.max(first, read[0]?.number ?? first);
  const before = held.filter(({ number }) => number < from);
  const known = new Map(held.slice(before.length).map((message) => [message.number, message]));
  const current = read.filter(({ number }) => number >= from);
  return [...before, ...current.map((message) => same(known.get(message.number), message))];
}

function same(held: Message | undefined, read: Message): Message {
  return held && JSON.stringify(held) === JSON.stringify(read) ? held : read;
}
