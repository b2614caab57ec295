// Keeps the token of a socket new: a server closes a socket whose token has ended.

const OPEN = 1;

export class Renewal {
  /** @type {WebSocket | null} */
  #socket = null;
  /** The token that the server knows of this socket. */
  #told = '';
  /** Whether the socket was opened with one: another has no end. */
  #named = false;

  /** @param {() => Promise<string>} token the one in use, long before its end; empty if there is no identity yet */
  constructor(token) {
    this.token = token;
  }

  /** What to open a socket with. */
  async first() {
    this.#told = await this.token();
    this.#named = this.#told !== '';
    return credentials(this.#told);
  }

  opened(socket) {
    this.#socket = socket;
  }

  closed() {
    this.#socket = null;
  }

  /** Beside a ping goes the token in use, if it is a newer one. Without it the server ends the socket, and another is opened. */
  async pinged() {
    const socket = this.#socket;
    if (!socket || !this.#named) return;
    const token = await this.token();
    if (!token || token === this.#told || socket !== this.#socket || socket.readyState !== OPEN) return;
    this.#told = token;
    socket.send(JSON.stringify({ type: 'ping', payload: credentials(token) }));
  }

  /** A server that could not look at a token is told it again. Those that know nothing of this say nothing of it. */
  answered(payload) {
    if (payload?.renewed === false) this.#told = '';
  }
}

const credentials = (token) => (token ? { Authorization: `Bearer ${token}` } : {});
