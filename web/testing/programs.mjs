// Starts the real programs for tests, and stops them: a server on a free port over a database of its own, and `letter`.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './ports.mjs';

const execute = promisify(execFile);

/** How long anything here may take. Far more than it does: a test that waits this long has failed. */
export const PATIENCE_MS = 30_000;

/** What `make build` makes, unless LETTERLOCK_BIN and LETTER_BIN name others. */
const built = (name) => fileURLToPath(new URL(`../../bin/${name}`, import.meta.url));
const LETTERLOCK = process.env.LETTERLOCK_BIN || built('letterlock');
const LETTER = process.env.LETTER_BIN || built('letter');

/** Only what the programs need: nothing of the caller's settings. */
const environment = (settings) => ({ PATH: process.env.PATH, HOME: process.env.HOME, ...settings });

const cleanups = new WeakMap();

/** Like `t.after`, but what was begun last ends first. @param {import('node:test').TestContext} t */
export function atEnd(t, clean) {
  if (!cleanups.has(t)) {
    const all = [];
    cleanups.set(t, all);
    t.after(async () => {
      const failures = [];
      while (all.length > 0) {
        const clean = all.pop();
        try {
          await clean();
        } catch (failure) {
          failures.push(failure); // what is left has to end all the same
        }
      }
      if (failures.length > 0) throw failures[0];
    });
  }
  cleanups.get(t).push(clean);
}

/** A directory that is gone after the test. @param {import('node:test').TestContext} t */
export async function temporaryDirectory(t) {
  const dir = await mkdtemp(join(tmpdir(), 'letterlock-test-'));
  atEnd(t, () => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Starts a server and gives its URL. @param {import('node:test').TestContext} t */
export async function startServer(t) {
  const dir = await temporaryDirectory(t);
  const env = environment({ LETTERLOCK_ADDR: '127.0.0.1:0', LETTERLOCK_DATA_DIR: dir });
  const lines = start(t, LETTERLOCK, [], env);
  const address = /msg=serving .*\burl=(http:\/\/\S+)/;
  const line = await lines.find((text) => address.test(text), 'the address of the server');
  return line.match(address)[1];
}

/** A server that can be stopped and started again on the same address and database. */
export class Server {
  /**
   * @param {import('node:test').TestContext} t
   * @param {Record<string, string>} settings further LETTERLOCK_… variables
   */
  static async start(t, settings = {}) {
    const server = new Server(t, settings);
    server.port = await freePort();
    server.url = `http://localhost:${server.port}`;
    server.database = await server.#database();
    await server.start();
    return server;
  }

  constructor(t, settings) {
    this.t = t;
    this.settings = settings;
  }

  /** Starts it again. */
  async start() {
    const { child, lines } = run(this.t, LETTERLOCK, [], this.#environment());
    this.child = child;
    this.lines = lines;
    await lines.find((text) => /msg=serving /.test(text), 'the server to serve');
  }

  #environment() {
    return environment({ LETTERLOCK_ADDR: `127.0.0.1:${this.port}`, ...this.database, ...this.settings });
  }

  /** What another command of the program prints, with the server's settings. */
  async command(...args) {
    return (await execute(LETTERLOCK, args, { env: this.#environment(), timeout: PATIENCE_MS })).stdout.trim();
  }

  /** Ends it: in order, or as if the power had gone. @param {'SIGTERM' | 'SIGKILL'} signal */
  stop(signal = 'SIGTERM') {
    return stop(this.child, signal);
  }

  /** A database of its own: PostgreSQL where the tests have one, as they do in `make test`; otherwise SQLite. */
  async #database() {
    const dir = await temporaryDirectory(this.t);
    const postgres = process.env.LETTERLOCK_TEST_POSTGRES;
    if (!postgres) return { LETTERLOCK_DATA_DIR: dir };
    const name = `web_${process.pid}_${this.port}`;
    await execute('psql', ['-qX', '-c', `CREATE DATABASE ${name}`, postgres], { timeout: PATIENCE_MS });
    atEnd(this.t, () => execute('psql', ['-qX', '-c', `DROP DATABASE ${name} WITH (FORCE)`, postgres]));
    const url = new URL(postgres);
    url.pathname = name;
    return { LETTERLOCK_DATABASE: url.href, LETTERLOCK_DATA_DIR: dir };
  }

  /** Everything that its database holds, as text. */
  async dump() {
    const { stdout } = this.database.LETTERLOCK_DATABASE
      ? await execute('pg_dump', ['--inserts', this.database.LETTERLOCK_DATABASE], { maxBuffer: 1 << 28 })
      : { stdout: (await readAll(this.database.LETTERLOCK_DATA_DIR)).toString('latin1') };
    return stdout;
  }
}

/** All bytes of all files below a directory. */
export async function readAll(dir) {
  const files = await readdir(dir, { recursive: true, withFileTypes: true });
  const read = files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name)));
  return Buffer.concat(await Promise.all(read));
}

/** A person with a home of their own who uses `letter`. */
export class Person {
  /**
   * @param {import('node:test').TestContext} t @param {string} server
   * @param {{ boxes?: boolean }} options boxes are what the example in web/apollo-example speaks
   */
  static async arrive(t, server, { boxes = true } = {}) {
    const home = join(await temporaryDirectory(t), 'home');
    const person = new Person(t, environment({ LETTER_HOME: home, LETTER_SERVER: server }));
    await person.letter('init', ...(boxes ? ['--boxes'] : []));
    person.id = (await person.letter('id')).trim();
    return person;
  }

  constructor(t, env) {
    this.t = t;
    this.env = env;
  }

  /** Runs `letter` to its end and gives what it printed. */
  async letter(...args) {
    const { stdout } = await execute(LETTER, args, { env: this.env, timeout: PATIENCE_MS });
    return stdout;
  }

  /** Starts `letter listen` and gives its lines. */
  listen() {
    return start(this.t, LETTER, ['listen'], this.env);
  }
}

/** Starts a program that runs until the end of the test, and gives its lines. */
export function start(t, path, args, env = environment()) {
  return run(t, path, args, env).lines;
}

function run(t, path, args, env) {
  const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  atEnd(t, () => stop(child));
  return { child, lines: linesOf(child.stdout, child.stderr) };
}

async function stop(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

/** The lines of both outputs of a program as they come. */
function linesOf(...streams) {
  const seen = [];
  const waiting = new Set();
  for (const stream of streams) {
    createInterface({ input: stream }).on('line', (line) => {
      seen.push(line);
      for (const look of waiting) look(line);
    });
  }
  return {
    seen,
    /** Resolves with the first line that fits, printed already or still to come. */
    find: (fits, what) =>
      within(
        new Promise((resolve) => {
          const found = seen.find(fits);
          if (found !== undefined) return resolve(found);
          const look = (line) => {
            if (!fits(line)) return;
            waiting.delete(look);
            resolve(line);
          };
          waiting.add(look);
        }),
        () => `${what}, in:\n${seen.join('\n')}`,
      ),
  };
}

/** The promise's value, or an error that says what was waited for in vain. */
export async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what()}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
