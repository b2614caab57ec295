// The one Trusted Types policy of the client: a text becomes the address of a script if it is the worker or the service worker
// of this origin, and nothing else becomes a script or markup. Imported before all else, since it has to be there first.

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): unknown;
}

/** Our own scripts: what the build has put beside the page, and the service worker. */
const OURS = /^(assets\/[\w.-]+\.js|sw\.js)$/;

/** Refuses by throwing: the browser would name the address only in a report that nobody reads. */
function scriptUrl(address: string): string {
  const url = new URL(address, location.href);
  const { pathname: home } = new URL('.', location.href);
  if (url.origin !== location.origin || !url.pathname.startsWith(home) || !OURS.test(url.pathname.slice(home.length)) || url.search) {
    throw new TypeError('not a script of Letterlock');
  }
  return url.href;
}

const { trustedTypes } = globalThis as { trustedTypes?: PolicyFactory };
trustedTypes?.createPolicy('default', { createScriptURL: scriptUrl });
