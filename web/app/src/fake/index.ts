// An in-memory Letterlock for work on the interface: `npm run fake`. It takes the place of @letterlock/core in that mode alone,
// and is in no build. The address chooses what it shows: ?phase=empty, ?phase=locked, ?state=waiting, ?people=50,
// ?answers=1000 (milliseconds until the other device answers).
import type { Letterlock, Options } from '@letterlock/core';
import { FakeLetterlock } from './letterlock';

export { contactLink, parseContact } from './contactlink';

export async function open(_options?: Options): Promise<Letterlock> {
  return new FakeLetterlock(new URLSearchParams(location.search));
}
