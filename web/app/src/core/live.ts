import type { Change, Letterlock } from '@letterlock/core';
import { useMemo, useSyncExternalStore } from 'react';
import { useLetterlock } from './letterlock';

/** What was read last; undefined until the first answer. */
export interface Live<T> {
  value?: T;
  error?: unknown;
}

/**
 * Reads something from the core, and again whenever a change concerns it. While one reading is under way, any number of
 * changes ask for only one more.
 */
export class LiveValue<T> {
  #live: Live<T> = {};
  #listeners = new Set<() => void>();
  #reading = false;
  #stale = false;
  #stop?: () => void;

  constructor(
    private letterlock: Letterlock,
    private read: (letterlock: Letterlock) => Promise<T>,
    private concerns: (change: Change) => boolean,
  ) {}

  get = (): Live<T> => this.#live;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop?.();
    };
  };

  refresh = (): void => {
    this.#stale = true;
    if (!this.#reading) void this.#readAll();
  };

  #start(): void {
    const stopChange = this.letterlock.on('change', (change) => this.concerns(change) && this.refresh());
    let phase = this.letterlock.status().phase;
    const stopStatus = this.letterlock.on('status', (status) => {
      if (status.phase === 'ready' && phase !== 'ready') this.refresh();
      phase = status.phase;
    });
    this.#stop = () => {
      stopChange();
      stopStatus();
    };
    this.refresh();
  }

  async #readAll(): Promise<void> {
    this.#reading = true;
    while (this.#stale) {
      this.#stale = false;
      try {
        this.#live = { value: await this.read(this.letterlock) };
      } catch (error) {
        this.#live = { value: this.#live.value, error };
      }
      for (const listener of this.#listeners) listener();
    }
    this.#reading = false;
  }
}

/** A value of the core that stays current. `about` names what the reading depends on, e.g. a user. */
export function useLive<T>(
  read: (letterlock: Letterlock) => Promise<T>,
  concerns: (change: Change) => boolean,
  about: readonly unknown[] = [],
): Live<T> & { refresh(): void } {
  const letterlock = useLetterlock();
  const live = useMemo(() => new LiveValue(letterlock, read, concerns), [letterlock, ...about]);
  const current = useSyncExternalStore(live.subscribe, live.get);
  return { ...current, refresh: live.refresh };
}
