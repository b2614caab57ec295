// What measurements share: people in numbers, and rounds, of which the quietest counts.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CROWD = process.env.CROWD_BIN || fileURLToPath(new URL('../../bin/crowd', import.meta.url));
/** Its homes may lie in memory: they are gone afterwards. */
const env = { ...process.env, TMPDIR: existsSync('/dev/shm') ? '/dev/shm' : tmpdir() };

/** Has so many users write so many messages each to somebody; resolves once the server has them all. */
export function crowd(server, to, { users, messages }) {
  const args = ['--server', server, '--to', to, '--users', String(users), '--messages', String(messages)];
  return promisify(execFile)(CROWD, args, { timeout: 500_000, env });
}

/** What a measurement gives in the quietest of three rounds: other work on the machine only ever adds. */
export async function quietest(measure, enough) {
  let best = Infinity;
  for (let round = 0; round < 3 && best > enough; round++) best = Math.min(best, await measure());
  return best;
}
