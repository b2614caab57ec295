// @letterlock/core: a device in a browser. index.d.ts says what it promises.
import { LetterlockError } from './errors.js';
import { Letterlock } from './letterlock.js';

export { contactLink, parseContact } from './contactlink.js';
export { LetterlockError };

const PROFILE = /^[a-z0-9-]{1,32}$/;

/** @type {typeof import('../index.js').open} */
export async function open({ server = location.origin, profile = 'default', assets = {} } = {}) {
  if (!PROFILE.test(profile)) throw new LetterlockError('bad-call', 'a profile is 1 to 32 of a-z, 0-9 and -');
  const origin = originOf(server);
  const wasm = assets.wasm ?? new URL('../dist/core.wasm', import.meta.url);
  // Bundlers look for exactly these words.
  const worker = assets.worker
    ? new Worker(assets.worker, { type: 'module' })
    : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  return Letterlock.open({ server: origin, profile, wasm: new URL(wasm, location.href).href }, worker);
}

/** A path would be dropped silently, so it is refused. */
function originOf(server) {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash) {
    throw new LetterlockError('bad-call', 'the server must be an http:// or https:// URL without a path');
  }
  return url.origin;
}
