// Errors as programs meet them: a code, and words for people.
import { CombinedGraphQLErrors } from '@apollo/client';

/** How much of a server's words is kept. */
const MAX_WORDS = 500;
/** The form of a server's codes. Those of this package have another one, so that a server can't say in its name that it was closed. */
const SERVERS_CODE = /^[A-Z][A-Z_]*$/;
/** How long the server may have us wait. */
const MAX_RETRY_MS = 60_000;

export class LetterlockError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {object} [details]
   * @param {string} [details.stored] whether a request that failed has left something: NO, YES or UNKNOWN
   * @param {number} [details.retryAfter] milliseconds
   * @param {number} [details.serverTime] milliseconds since 1970
   */
  constructor(code, message, { stored, retryAfter, serverTime } = {}) {
    super(message);
    this.name = 'LetterlockError';
    this.code = code;
    this.stored = stored;
    this.retryAfter = retryAfter;
    this.serverTime = serverTime;
  }
}

/** What crosses between tabs, and from the worker. */
export const plain = (error) => ({ code: error?.code ?? 'failed', message: String(error?.message ?? error) });
export const fromPlain = ({ code, message }) => new LetterlockError(String(code), String(message));

const WORDS = {
  offline: 'the server can’t be reached; what is written is kept and sent when it can',
  clock: 'this computer’s clock is wrong; correct it and try again',
  closed: 'this was closed; open it again',
  'no-server': 'what answers at this address is no Letterlock server',
  DEVICE_REMOVED: 'this device is no longer on its user’s list, or the user was deleted; sign out here, and link it again or begin anew',
  SUPERSEDED: 'another place with the same keys has taken over; connect here to take it back',
  LINK_EXPIRED: 'no device answers under this code: it is good for ten minutes, on one server; start the link anew',
  LINK_TAKEN: 'somebody else has written into this link; start it anew',
  alarm: 'the server shows something of this user’s devices that can’t be true; it was refused',
  'user-unknown': 'the server knows no user with this id; have they registered here?',
};

/** An error of this package's own, with its words. */
export const failure = (code) => new LetterlockError(code, WORDS[code] ?? code);

/** What an alarm ends a call with. */
export const alarmed = () => failure('alarm');

/** An error of the network's or the server's, whatever Apollo Client wraps it in. */
export function fromServer(error) {
  if (error instanceof LetterlockError) return error;
  if (CombinedGraphQLErrors.is(error)) return fromGraphQL(error.errors[0]);
  if (Array.isArray(error)) return fromGraphQL(error[0]);
  const closed = /Socket closed with event (\d+)/.exec(words(error?.message));
  if (closed?.[1] === '4403' || error?.code === 4403) return new LetterlockError('UNAUTHENTICATED', 'the token was refused');
  const status = error?.statusCode;
  // Something that is not the server has answered in its place.
  if (status !== undefined && status < 500 && status !== 429) return failure('no-server');
  return failure('offline');
}

function fromGraphQL(error) {
  const extensions = error?.extensions;
  const said = words(extensions?.code);
  const code = SERVERS_CODE.test(said) ? said : 'INTERNAL';
  const retryAfter = extensions?.retryAfterMs;
  const serverTime = Date.parse(words(extensions?.serverTime));
  return new LetterlockError(code, Object.hasOwn(WORDS, code) ? WORDS[code] : `the server says: ${words(error?.message)}`, {
    stored: words(extensions?.stored) || undefined,
    retryAfter: typeof retryAfter === 'number' ? Math.min(MAX_RETRY_MS, Math.max(0, retryAfter)) : 0,
    serverTime: Number.isNaN(serverTime) ? undefined : serverTime,
  });
}

/** A server may say anything where words should be: what is no text is none. */
const words = (value) => (typeof value === 'string' ? value.slice(0, MAX_WORDS) : '');

const TRANSIENT = new Set([
  'offline', 'OVERLOADED', 'RATE_LIMITED', 'STORE_UNAVAILABLE', 'OUTCOME_UNKNOWN', 'STOPPING', 'INTERNAL',
]);

/** Whether the same request may succeed later, as it stands. */
export const transient = (error) => TRANSIENT.has(error?.code) || error?.stored === 'UNKNOWN';
