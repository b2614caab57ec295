// The worker that runs the device of a profile: one at a time in this browser, whatever tabs there are.
import '../dist/wasm_exec.js';
import { DeviceHost } from './devicehost.js';
import { DeviceError } from './machine.js';

const host = new DeviceHost(load);
/** Settles once this worker holds the lock of its profile. */
let lead = null;

self.addEventListener('message', async ({ data: { id, method, params } }) => {
  try {
    if (method === 'open') {
      lead ??= takeLock(params.profile);
    }
    if (!lead) {
      throw new DeviceError('bad-call', 'the device is not open');
    }
    await lead;
    const result = await host.handle(method, params);
    self.postMessage({ id, result });
    if (method === 'open') {
      host.ended.then(end);
    }
    if (method === 'close' || method === 'erase') {
      self.close(); // the lock goes with the worker
    }
  } catch (error) {
    self.postMessage({ id, error: told(error) });
  }
});

/**
 * Waits for the lock of a profile, and keeps it as long as the worker lives.
 *
 * @param {string} profile
 */
function takeLock(profile) {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(`letterlock/${profile}`, () => {
        self.postMessage({ event: 'lock', leads: true });
        resolve();
        return new Promise(() => {});
      })
      .catch(reject);
  });
}

/**
 * The program, compiled while it arrives.
 *
 * @param {string} wasm
 */
async function load(wasm) {
  const response = await fetch(wasm);
  if (!response.ok) {
    throw new DeviceError('assets', 'the program of the device could not be loaded; try again');
  }
  try {
    return await WebAssembly.compileStreaming(response.clone());
  } catch {
    return WebAssembly.compile(await response.arrayBuffer()); // a host that does not know the type of .wasm
  }
}

/** The program has ended: whoever takes over finds the records as they were. */
function end() {
  self.postMessage({ event: 'crashed' });
  self.close();
}

/** What may be said of an error: nothing that the browser says by itself. */
function told(error) {
  if (error instanceof DeviceError) {
    return { code: error.code, message: error.message };
  }
  return { code: 'failed', message: `the device could not do that (${error?.name ?? 'unknown'})` };
}
