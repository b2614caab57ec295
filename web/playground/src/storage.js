/**
 * The browser's storage, without headers: GraphiQL would keep them in its history, and tokens are secrets.
 *
 * @param {Storage} storage
 * @returns {import('@graphiql/toolkit').Storage}
 */
export function withoutHeaders(storage) {
  return {
    get length() {
      return storage.length;
    },
    getItem: (key) => storage.getItem(key),
    removeItem: (key) => storage.removeItem(key),
    clear: () => storage.clear(),
    setItem: (key, value) => storage.setItem(key, strip(value)),
  };
}

function strip(value) {
  try {
    return JSON.stringify(JSON.parse(value, (name, member) => (name === 'headers' ? undefined : member)));
  } catch {
    return value; // text, as a query is
  }
}
