import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { withToken } from './token.js';

/**
 * Connects GraphiQL to a server: queries and mutations over POST, subscriptions over WebSocket (`graphql-transport-ws`).
 * The token and the Headers editor's content go as headers, or as `connection_init` payload.
 *
 * @param {URL} endpoint the server's `/graphql`
 * @param {() => string} token gives the device token, empty without one
 * @returns {import('@graphiql/toolkit').Fetcher}
 */
export function createFetcher(endpoint, token) {
  return (asked, options) => {
    const operation = operationOf(asked);
    const params = operation ? { ...asked, operationName: operation.name?.value } : asked;
    const headers = withToken(options?.headers ?? {}, token());
    return operation?.operation === 'subscription'
      ? subscribe(endpoint, params, headers)
      : post(endpoint, params, headers);
  };
}

/**
 * What the text asks for. GraphiQL's own reading of it (documentAST, operationName) comes a moment after the text: who
 * runs a query right after changing tabs would run it as what stood there before.
 */
function operationOf({ query, operationName }) {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document);
  } catch {
    return undefined; // the server says what is wrong with it
  }
}

async function post(endpoint, params, headers) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json, application/json;q=0.9',
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(params),
  });
  return response.json();
}

/** An iterator that ends with its socket; `return` does not wait for a next event as an async generator's would. */
function subscribe(endpoint, params, headers) {
  const url = new URL(endpoint);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  // Each run opens a socket of its own, since the token may have changed. It shows a lost connection instead of
  // hiding it behind retries.
  const client = createClient({ url: url.href, connectionParams: headers, retryAttempts: 0 });
  const results = client.iterate(params);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => results.next().catch((failure) => Promise.reject(readable(failure))),
    return: async () => {
      await client.dispose();
      return { value: undefined, done: true };
    },
  };
}

/** GraphiQL shows an Error's message, and of a close event nothing useful. */
function readable(failure) {
  if (failure instanceof Error) return failure;
  if (Array.isArray(failure)) return Object.assign(new Error(failure[0]?.message), { errors: failure });
  if (typeof failure?.code === 'number') {
    return new Error(`The socket was closed: ${failure.code} ${failure.reason || 'without a reason'}`);
  }
  return new Error('The socket could not be opened.');
}
