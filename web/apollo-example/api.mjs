// Letterlock through Apollo Client: register, look up, send, receive, acknowledge.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { RetryLink } from '@apollo/client/link/retry';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import { concatMap } from 'rxjs';
import { v7 as uuidv7 } from 'uuid';
import WebSocket from 'ws';
import { checkContext, checkKey, open, Refused, seal } from './box.mjs';
import { fromBase64, instantOf, toBase64 } from './bytes.mjs';
import { NewerContent } from './content.mjs';
import { Chain, newToken } from './identity.mjs';
import { ACKNOWLEDGE, RECEIVE, REGISTER, SEND, SERVER, USER } from './operations.mjs';

globalThis.WebSocket ??= WebSocket; // Node 20 has none, and Apollo Client and graphql-ws look for the browser's

/** Where no token is needed none is sent: the server need not know who asks. */
const anonymous = { anonymous: true };

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * One device at one server. Keeps what it learns in memory; a product keeps `device`, `chains`, `accepted` and `counters`
 * on disk.
 */
export class Messenger {
  /** @type {Map<string, Chain>} verified lists by user id; never replaced by an older one (S3.5) */
  chains = new Map();
  /** @type {Set<string>} device and message ids that were accepted, so that none is accepted twice (B2.2) */
  accepted = new Set();
  /** @type {Map<string, bigint>} messages sent, by user id (C1.2) */
  counters = new Map();
  #clockAhead = 0;

  /** @param {string} server such as http://localhost:8080 @param {import('./identity.mjs').Device} device */
  constructor(server, device) {
    this.origin = new URL(server).origin;
    this.device = device;
    this.chains.set(device.userId, device.chain);
    const token = () => `Bearer ${newToken(device, this.origin, Date.now() + this.#clockAhead)}`;
    this.socket = createClient({
      url: `${this.origin.replace(/^http/, 'ws')}/graphql`,
      connectionParams: () => ({ Authorization: token() }),
      retryAttempts: Infinity,
    });
    // Everything here may be repeated: what was done already is answered again, not done again.
    const http = ApolloLink.from([
      new RetryLink({ attempts: { max: 5 } }),
      new SetContextLink(({ anonymous }) => (anonymous ? {} : { headers: { authorization: token() } })),
      new HttpLink({ uri: `${this.origin}/graphql` }),
    ]);
    const isSubscription = ({ operationType }) => operationType === 'subscription';
    this.apollo = new ApolloClient({
      link: ApolloLink.split(isSubscription, new GraphQLWsLink(this.socket), http),
      cache: new InMemoryCache(),
      defaultOptions: { query: { fetchPolicy: 'no-cache' }, mutate: { fetchPolicy: 'no-cache' } },
    });
  }

  /** Registers the user with this device. To do it again changes nothing. */
  async register() {
    await this.#readClock();
    const input = {
      userKey: toBase64(this.device.user.publicKey),
      deviceList: toBase64(this.device.chain.head.statement),
    };
    await this.apollo.mutate({ mutation: REGISTER, variables: { input } });
  }

  /** A wrong clock is made up for in tokens and nowhere else (S6.7). */
  async #readClock() {
    const { data } = await this.apollo.query({ query: SERVER, context: anonymous });
    const ahead = Date.parse(data.server.time) - Date.now();
    if (Math.abs(ahead) > DAY_MS) throw new Error('this clock and the server’s are more than a day apart');
    this.#clockAhead = ahead;
  }

  /** Fetches what is new of a user's device lists and verifies it. @returns {Promise<Chain>} */
  async lookUp(userId) {
    const chain = this.chains.get(userId) ?? new Chain(userId);
    for (let more = true; more; ) {
      const variables = { id: userId, sinceVersion: chain.version };
      const { data } = await this.apollo.query({ query: USER, variables, context: anonymous });
      if (!data.user) throw new Error(`the server knows no user ${userId}`);
      for (const { statement } of data.user.deviceLists) chain.extend(fromBase64(statement));
      if (data.user.listVersion < chain.version) throw new Error(`the server hides newer lists of ${userId} (S3.5)`);
      more = data.user.deviceLists.length > 0 && chain.version < data.user.listVersion;
    }
    if (!chain.head) throw new Error(`the server showed no list of ${userId}`);
    this.chains.set(userId, chain);
    return chain;
  }

  /**
   * Sends a text. Await one call before the next: the counter has no gaps. Gives the ids of devices that did not get the
   * message because their mailboxes are full.
   */
  async send(userId, text) {
    const counter = (this.counters.get(userId) ?? 0n) + 1n;
    const message = { messageId: uuidv7(), counter, sentAt: instantOf(Date.now()), text };
    const deliveries = await this.#deliver(userId, message);
    this.counters.set(userId, counter);
    return deliveries.filter(({ status }) => status !== 'STORED').map(({ deviceId }) => deviceId);
  }

  async #deliver(userId, message, tries = 5) {
    const recipients = seal(this.device, await this.lookUp(userId), message);
    try {
      const variables = { input: { messageId: message.messageId, recipients } };
      const { data } = await this.apollo.mutate({ mutation: SEND, variables });
      return data.sendMessage.deliveries;
    } catch (failure) {
      if (tries === 1 || !hasCode(failure, 'DEVICE_LIST_CHANGED')) throw failure;
      await this.lookUp(this.device.userId); // the list that moved on may be one's own
      return this.#deliver(userId, message, tries - 1);
    }
  }

  /**
   * Calls `handle` with one message after the other, and acknowledges each once `handle` has stored it durably and
   * resolved. `signal` ends it, after the message in hand; it rejects where going on makes no sense, as when another
   * reader of this device has taken over.
   *
   * @param {(message: {from: string, text?: string, refused?: string, needsNewerClient?: boolean,
   *   fromRemovedDevice?: boolean, sealedForOlderList?: boolean}) => Promise<void> | void} handle
   * @param {AbortSignal} signal
   */
  receive(handle, signal) {
    let inHand = Promise.resolve();
    return new Promise((resolve, reject) => {
      const messages = this.apollo.subscribe({ query: RECEIVE }).pipe(
        concatMap(({ data, error }) => {
          if (error) throw error;
          inHand = this.take(data.messageReceived, handle);
          return inHand;
        }),
      );
      const subscription = messages.subscribe({ error: reject, complete: resolve });
      signal.addEventListener('abort', () => {
        subscription.unsubscribe();
        inHand.then(resolve, reject);
      });
    });
  }

  /** Opens a message from the server, hands it over and acknowledges it; drops a double. */
  async take(message, handle) {
    const name = `${message.senderDeviceId} ${message.messageId}`;
    if (!this.accepted.has(name)) {
      await handle({ from: message.senderUserId, messageId: message.messageId, ...(await this.#open(message)) });
      this.accepted.add(name);
    }
    // What was refused is acknowledged too: it would come again for ever.
    await this.apollo.mutate({ mutation: ACKNOWLEDGE, variables: { upTo: message.cursor } });
  }

  async #open(message) {
    try {
      const peer = await this.#chain(message.senderUserId, message.senderListVersion);
      const { content, boxKey, fromRemovedDevice } = open(this.device, peer, message);
      await this.#chain(peer.userId, content.sender.listVersion); // C2.1
      await this.#chain(this.device.userId, content.recipient.listVersion);
      checkContext(this.device, peer, message, content);
      checkKey(peer, message, content, boxKey);
      const { type, text, counter, recipient } = content;
      const sealedForOlderList = recipient.listVersion < this.device.chain.version; // C2.2: to be shown
      return { type, text, counter, fromRemovedDevice, sealedForOlderList };
    } catch (failure) {
      if (failure instanceof Refused) return { refused: failure.message };
      if (failure instanceof NewerContent) return { needsNewerClient: true };
      throw failure; // the server could not be asked: that says nothing about the message
    }
  }

  /** The user's chain, fetched if what is held ends below this version. */
  async #chain(userId, version) {
    const held = this.chains.get(userId);
    return held && held.version >= version ? held : this.lookUp(userId);
  }

  async close() {
    this.apollo.stop();
    await this.socket.dispose();
  }
}

const hasCode = (failure, code) =>
  CombinedGraphQLErrors.is(failure) && failure.errors.some(({ extensions }) => extensions?.code === code);
