// A device and an Apollo Client that say what a test wants: for what a real server does once in a blue moon.
import { CombinedGraphQLErrors } from '@apollo/client';
import { Observable } from 'rxjs';
import { Engine } from '../src/engine.js';

export const ME = `u${'m'.repeat(32)}`;
export const PEER = `u${'p'.repeat(32)}`;

/** An error as the server reports it. */
export const refused = (code, extensions = {}) =>
  new CombinedGraphQLErrors({ errors: [{ message: code, extensions: { code, ...extensions } }] });

const answer = (rest = {}) => ({ requests: [], notices: [], queued: false, change: null, ...rest });

/** A device with one outbox; it writes down what it is told. */
export class FakeDevice {
  log = [];
  queue = [];
  cursor = '';
  /** What the head of the outbox needs before it is sealed. @type {(claimed: string[]) => object | undefined} */
  needs = () => undefined;
  sealings = 0;
  deletions = 0;

  call = async (method, params = {}) => {
    this.log.push([method, params]);
    const does = this[`_${method}`];
    return does ? does(params) : answer();
  };

  /** The parameters of all calls of a method. */
  calls(method) {
    return this.log.filter(([name]) => name === method).map(([, params]) => params);
  }

  _self = () => ({ user: ME, device: 'me', createdAt: 0, manages: true });
  _token = ({ now }) => `token-${now}`;
  _takesSessions = () => false;
  _blocksToSet = () => null;
  _getSetting = () => null;
  _signDeletion = () => ({ deletion: `deletion-${++this.deletions}` });
  _listVersion = () => 1;
  _waiting = () => [];
  _cursor = () => this.cursor;
  _outboxes = () => (this.queue.length > 0 ? [PEER] : []);
  _history = () => this.queue.map((text, i) => ({ number: i + 1, text, device: 'me', sentAt: Date.now() }));
  _compose = ({ text }) => {
    this.queue.push(text);
    return answer({ value: { number: this.queue.length, text }, queued: true });
  };
  _nextSend = ({ claimed }) => {
    if (this.queue.length === 0) return answer();
    const need = this.needs(claimed);
    if (need?.fails) {
      this.queue.shift();
      return answer({ notices: [{ number: 1, cursor: '', message: { failure: need.fails } }] });
    }
    if (need) return answer({ requests: [need] });
    const envelopes = [{ deviceId: 'd1', kind: 'SESSION', ciphertext: `sealed-${this.sealings}-${this.queue[0]}` }];
    const input = { messageId: `id-${this.queue[0]}`, recipients: [{ userId: PEER, listVersion: 1, envelopes }] };
    return answer({ requests: [{ type: 'sendMessage', token: { sealed: this.sealings }, input }] });
  };
  _accepted = () => {
    this.queue.shift();
    return answer();
  };
  _declined = ({ refused: how }) => {
    this.sealings += 1;
    if (how === 'list-changed') return answer({ requests: [{ type: 'fetchUser', user: PEER, since: 1 }] });
    if (how !== 'expired') this.queue.shift();
    return answer();
  };
  _giveUp = () => {
    this.queue.shift();
    return answer();
  };
  _claimed = () => answer({ value: {} });
  _fetched = () => answer({ value: {} });
  _checkAccepted = () => answer({ value: { rolledBack: false } });
  _receive = ({ envelopes }) => {
    this.cursor = envelopes.at(-1).cursor;
    return answer({ value: envelopes.length });
  };
  _forgetCursor = () => {
    this.cursor = '';
    return answer();
  };
}

/** An Apollo Client whose answers a test scripts by the operation's name. */
export class FakeClient {
  sent = [];
  subscriptions = [];
  answers = {
    Standing: () => ({ viewer: { acceptedCount: 0 }, prekeyCount: {} }),
    FetchUser: () => ({ user: { listVersion: 2, deviceLists: [] } }),
    Viewer: () => ({ viewer: { id: 'me' } }),
    AcknowledgeMessages: () => ({ acknowledgeMessages: { removedCount: 1 } }),
    ClaimPrekeys: () => ({ claimPrekeys: { sets: [] } }),
    SendMessage: ({ input }) => ({ sendMessage: stored(input) }),
  };

  /** @param {EventTarget} socket told when a subscription is made */
  constructor(socket) {
    this.socket = socket;
  }

  query = ({ query, ...rest }) => this.#request(query, rest);
  mutate = ({ mutation, ...rest }) => this.#request(mutation, rest);

  async #request(document, { variables, fetchPolicy }) {
    const name = document.definitions[0].name.value;
    this.sent.push({ name, variables, fetchPolicy });
    return { data: await this.answers[name](variables) };
  }

  of(name) {
    return this.sent.filter((request) => request.name === name).map(({ variables }) => variables);
  }

  subscribe({ variables }) {
    return new Observable((observer) => {
      const subscription = { variables, observer, ended: false };
      this.subscriptions.push(subscription);
      queueMicrotask(() => this.socket.dispatchEvent(new Event('connected')));
      return () => {
        subscription.ended = true;
      };
    });
  }
}

export const stored = ({ messageId, recipients }) => ({
  messageId,
  acceptedAt: '2026-01-02T03:04:05.000006Z',
  deliveries: recipients.flatMap(({ envelopes }) => envelopes.map(({ deviceId }) => ({ deviceId, status: 'STORED' }))),
});

/** What a subscription brings. */
export const envelope = (cursor) => ({
  __typename: 'Message', id: `id-${cursor}`, cursor, messageId: `message-${cursor}`, senderUserId: PEER, senderDeviceId: 'd1', kind: 'SESSION', ciphertext: 'AA', nonce: null,
});

/** An engine over both, which ends with the test. */
export function fakeEngine(t, phase = 'ready') {
  const device = new FakeDevice();
  const events = new EventTarget();
  const client = new FakeClient(events);
  const seen = [];
  const waiting = new Set();
  const look = () => {
    for (const check of waiting) check();
  };
  const engine = new Engine(device, { phase, passphrase: false }, { events }, new EventTarget(), (event, value) => {
    seen.push([event, structuredClone(value)]);
    look();
  });
  t.after(() => engine.stop());
  const poll = setInterval(look, 5);
  t.after(() => clearInterval(poll));
  /** Resolves when it holds. */
  const until = (holds) =>
    new Promise((resolve) => {
      const check = () => {
        if (!holds()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { engine, device, client, seen, until };
}
