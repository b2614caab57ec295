// Ports for servers that start again at the same address.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below those that systems give to outgoing connections: one of these might hold the port while the server is away.
const FIRST = 10_000;
const END = 32_000;

/** A port of loopback that nobody listens on. */
export async function freePort() {
  for (let i = 0; i < 1000; i++) {
    const port = randomInt(FIRST, END);
    if (await isFree(port)) return port;
  }
  throw new Error('there is no free port');
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
