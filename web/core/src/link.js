// The Apollo link: queries and mutations over HTTP, subscriptions over graphql-transport-ws, with this device's tokens.
import { ApolloLink, HttpLink } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import { Renewal } from './renewal.js';

/** A ping goes out this often; without an answer the socket counts as gone. */
const PING_MS = 15_000;
const PONG_MS = 20_000;
const ACK_MS = 15_000;

/** The context of a request that carries no token. */
export const ANONYMOUS = { letterlock: { anonymous: true } };

export class Link {
  /** @type {EventTarget} fires `connected` */
  events = new EventTarget();

  /**
   * @param {string} server the origin
   * @param {() => Promise<string>} token empty if there is no identity yet
   */
  constructor(server, token) {
    const endpoint = `${server}/graphql`;
    this.socket = socketTo(endpoint.replace(/^http/, 'ws'), token, this.events);
    const bearer = new SetContextLink(async ({ headers, letterlock }) => {
      const made = letterlock?.anonymous ? '' : await token();
      return made ? { headers: { ...headers, authorization: `Bearer ${made}` } } : { headers };
    });
    // A redirect would carry the token to somebody else.
    const http = new HttpLink({ uri: endpoint, credentials: 'omit', fetchOptions: { redirect: 'error' } });
    this.link = ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      new GraphQLWsLink(this.socket),
      ApolloLink.from([bearer, http]),
    );
  }

  /** Ends the socket at once: after sleep or a change of network it may be dead without knowing. */
  terminate() {
    this.socket.terminate();
  }

  close() {
    return this.socket.dispose();
  }
}

function socketTo(url, token, events) {
  let overdue;
  const renewal = new Renewal(token);
  const client = createClient({
    url,
    lazy: true,
    retryAttempts: 0, // the driver knows when it is worth trying again
    keepAlive: PING_MS,
    connectionAckWaitTimeout: ACK_MS,
    connectionParams: () => renewal.first(),
    on: {
      connected: (socket) => {
        renewal.opened(socket);
        events.dispatchEvent(new Event('connected'));
      },
      ping: (received) => {
        if (received) return;
        clearTimeout(overdue);
        overdue = setTimeout(() => client.terminate(), PONG_MS);
        renewal.pinged().catch(() => {}); // the next ping will do
      },
      pong: (received, payload) => {
        if (!received) return;
        clearTimeout(overdue);
        renewal.answered(payload);
      },
      closed: () => {
        clearTimeout(overdue);
        renewal.closed();
      },
    },
  });
  return client;
}
