/** No token is longer (S6.5); what `letter token --playground` prints around one is little. */
export const MAX_PASTED = 4096;

/** What `letter token` prints, with or without what may stand around it: `Bearer`, quotes, a whole header. */
const TOKEN = /eyJ[\w-]*\.[\w-]+\.[\w-]+/;

/** @param {string} pasted @returns {string} the token in it, empty if there is none */
export function tokenIn(pasted) {
  return pasted.slice(0, MAX_PASTED).match(TOKEN)?.[0] ?? '';
}

/**
 * Until when a token is good, by what it says itself: for showing alone, since the server decides.
 *
 * @param {string} token
 * @returns {Date | undefined}
 */
export function endOf(token) {
  try {
    const { exp } = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
    const end = new Date(exp * 1000);
    return Number.isNaN(end.getTime()) ? undefined : end;
  } catch {
    return undefined;
  }
}

/**
 * What goes with a request. A header that somebody wrote by hand is what they mean.
 *
 * @param {Record<string, unknown>} headers what stands in the Headers editor
 * @param {string} token
 */
export function withToken(headers, token) {
  const written = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  return token && !written ? { ...headers, Authorization: `Bearer ${token}` } : headers;
}
