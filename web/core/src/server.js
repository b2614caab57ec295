// Requests to the server, all through the Apollo Client that the program has handed over; nothing goes into its cache.
import { failure, fromServer, LetterlockError } from './errors.js';
import { ANONYMOUS } from './link.js';
import { FETCH_USER, MESSAGE_RECEIVED } from './operations.js';

/** Bounds one request with its answer. */
const TIMEOUT_MS = 20_000;

export class Server {
  /** @type {import('@apollo/client').ApolloClient | null} */
  client = null;
  /** Does what makes the server know this device again. @type {() => Promise<void>} */
  registerAgain = async () => {};

  /** @param {import('./core.js').Core} core @param {import('./tokens.js').Tokens} tokens */
  constructor(core, tokens) {
    this.core = core;
    this.tokens = tokens;
  }

  /** A request without a token: the server need not know who asks. */
  anonymous(document, variables) {
    return this.#request(document, variables, ANONYMOUS);
  }

  /** A request with a token, and nothing done about it if that is refused. */
  once(document, variables) {
    return this.#request(document, variables, {});
  }

  /**
   * A request with a token. If the server refuses the token this makes up for a wrong clock (S6.7), or registers again if
   * the server has lost this device, and tries once more.
   */
  async authorized(document, variables) {
    for (let tries = 0; tries < 2; tries++) {
      const used = await this.tokens.get();
      try {
        return await this.once(document, variables);
      } catch (error) {
        if (error.code !== 'UNAUTHENTICATED') throw error;
        if (this.tokens.forget(used, error.serverTime)) continue;
        if (!(await this.#lost())) throw error;
        await this.registerAgain();
      }
    }
    return this.once(document, variables);
  }

  /** Whether the server no longer knows this user, as one whose database was thrown away. */
  async #lost() {
    if ((await this.core.step('register')).requests.length > 0) return false;
    const { user } = await this.core.call('self');
    const found = await this.anonymous(FETCH_USER, { id: user, sinceVersion: 0 });
    if (found.user) return false;
    await this.core.step('registered', { known: false });
    return true;
  }

  async #request(document, variables, context) {
    const { client } = this;
    if (!client) throw failure('offline');
    const mutation = document.definitions[0].operation === 'mutation';
    const options = { variables, fetchPolicy: 'no-cache', errorPolicy: 'none', context: { ...context, queryDeduplication: false } };
    const ended = new AbortController();
    options.context.fetchOptions = { signal: ended.signal };
    const timer = setTimeout(() => ended.abort(), TIMEOUT_MS);
    let data;
    try {
      const made = mutation
        ? client.mutate({ mutation: document, ...options })
        : client.query({ query: document, ...options });
      const late = new Promise((_, reject) => {
        ended.signal.addEventListener('abort', () => reject(failure('offline')));
      });
      ({ data } = await Promise.race([made, late]));
    } catch (error) {
      throw fromServer(error);
    } finally {
      clearTimeout(timer);
    }
    if (data === null || typeof data !== 'object') throw new LetterlockError('no-server', 'the server’s answer has no data');
    return data;
  }

  /**
   * Subscribes to what comes, behind a cursor.
   *
   * @param {string} after
   * @param {{next(envelope: object): void, error(error: LetterlockError): void}} reader
   * @returns {() => void} ends it
   */
  subscribe(after, reader) {
    if (!this.client) throw failure('offline');
    const results = this.client.subscribe({
      query: MESSAGE_RECEIVED,
      variables: after ? { after } : {},
      fetchPolicy: 'no-cache',
    });
    const subscription = results.subscribe({
      next: ({ data, error }) => {
        if (error) reader.error(fromServer(error));
        else if (data?.messageReceived) reader.next(data.messageReceived);
        else reader.error(failure('no-server'));
      },
      error: (error) => reader.error(fromServer(error)),
      complete: () => reader.error(failure('offline')),
    });
    return () => subscription.unsubscribe();
  }
}
