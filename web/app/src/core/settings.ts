import { useCallback } from 'react';
import { useLetterlock } from './letterlock';
import { useLive } from './live';

export interface Settings {
  /** The name that the user's own link suggests. */
  name: string;
  notifications: boolean;
}

/** One of the program's own settings, sealed with everything else; undefined while it is being read. */
export function useSetting<K extends keyof Settings>(name: K): [Settings[K] | undefined, (value: Settings[K]) => Promise<void>, boolean] {
  const letterlock = useLetterlock();
  const live = useLive(async () => ({ stored: (await letterlock.getSetting(name)) as Settings[K] | undefined }), (change) => change.settings, [name]);
  const set = useCallback((value: Settings[K]) => letterlock.setSetting(name, value), [letterlock, name]);
  return [live.value?.stored, set, live.value !== undefined];
}
