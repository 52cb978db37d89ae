// Runs the real program. A test that starts a process cannot forget it: the process is stopped after the test, and
// the test fails when it died on its own, did not end on SIGTERM, or left a sanitizer's report.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { binary, patience, within } from './env.mjs';
import { assertNoSecrets } from './secrets.mjs';

const sanitizerReport = /ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:/;
const alive = new Set();

// Last resort, when a test file itself is cut short.
process.on('exit', () => {
  for (const child of alive) {
    child.kill('SIGKILL');
  }
});

// After a check that failed, the runner leaves out what else was to be done after the test: without this, its other
// programs would keep the file from ending.
function endAll(error) {
  for (const child of alive) {
    child.kill('SIGKILL');
  }
  throw error;
}

// The environment without the caller's settings of freshet, plus those of the test.
function cleanEnvironment(extra) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('FRESHET_')));
  return { ...env, ...extra };
}

export class Program {
  // `files` bounds the descriptors that the program may open; `handOver` are descriptors of sockets that it gets as from
  // a service manager; `through` is a program, with its arguments, that is to start it.
  constructor(args, { env = {}, cwd, input, files, handOver = [], through = [] } = {}) {
    this.args = args;
    const limited = files ? `ulimit -n ${files} && ` : '';
    const handed = handOver.length ? `LISTEN_PID=$$ LISTEN_FDS=${handOver.length} ` : '';
    const shell = limited || handed ? ['/bin/sh', '-c', `${limited}${handed}exec "$@"`, 'sh'] : [];
    const [command, ...before] = [...shell, ...through, binary];
    this.stdout = '';
    this.stderr = '';
    this.told = 0; // how much of stderr says() has used up
    this.status = undefined; // { code, signal } once it has ended
    this.child = spawn(command, [...before, ...args], { env: cleanEnvironment(env), cwd, stdio: ['pipe', 'pipe', 'pipe', ...handOver] });
    alive.add(this.child);
    this.child.stdin.on('error', () => {});
    if (input !== undefined) {
      this.child.stdin.end(input);
    }
    this.child.stdout.setEncoding('utf8').on('data', (text) => this.#take('stdout', text));
    this.child.stderr.setEncoding('utf8').on('data', (text) => this.#take('stderr', text));
    this.waiters = new Set();
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', (error) => {
        alive.delete(this.child);
        reject(new Error(`cannot run ${binary}: ${error.message}`));
      });
      this.child.on('close', (code, signal) => {
        alive.delete(this.child);
        this.status = { code, signal };
        resolve(this.status);
        this.#wake();
      });
    });
    this.ended.catch(() => {});
  }

  get pid() {
    return this.child.pid;
  }

  #take(name, text) {
    this[name] += text;
    this.#wake();
  }

  #wake() {
    for (const waiter of this.waiters) {
      waiter();
    }
  }

  // Resolves with the match as soon as what the program printed on stdout matches.
  output(pattern, ms = patience) {
    return this.#matched('stdout', pattern, 0, ms);
  }

  // The same of a line in its log (stderr) that nobody waited for yet: what one says() matched, and all before it, no
  // other matches again. So a line from the start is not taken for the one that a signal caused.
  async says(pattern, ms = patience) {
    const match = await this.#matched('stderr', pattern, this.told, ms);
    this.told += match.index + match[0].length;
    return match;
  }

  async #matched(name, pattern, from, ms) {
    const matched = new Promise((resolve, reject) => {
      const look = () => {
        const match = this[name].slice(from).match(pattern);
        if (match || this.status) {
          this.waiters.delete(look);
          match ? resolve(match) : reject(new Error(`${this} ended before it printed ${pattern}:\n${this.stderr}`));
        }
      };
      this.waiters.add(look);
      this.ended.catch(reject);
      look();
    });
    return within(matched, `${pattern} on ${name} of ${this}; stderr:\n${this.stderr}`, ms);
  }

  kill(signal = 'SIGTERM') {
    this.child.kill(signal);
  }

  // Waits for the end; returns the exit code, or the name of the signal that ended it.
  async exit(ms = patience) {
    const { code, signal } = await within(this.ended, `${this} to end`, ms);
    return signal ?? code;
  }

  // Bytes of memory in use by the process; undefined where the system does not tell.
  memory() {
    try {
      return Number(readFileSync(`/proc/${this.pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB/m)[1]) * 1024;
    } catch {
      return undefined;
    }
  }

  // Seconds of processor time used so far; undefined where the system does not tell.
  processorTime() {
    try {
      const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
      return (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      return undefined;
    }
  }

  // What nothing that it has printed may hold, whatever the test is about. The output of a command is its user's own.
  checkOutput() {
    assert.doesNotMatch(this.stderr, sanitizerReport, `${this} left a sanitizer's report:\n${this.stderr}`);
    assertNoSecrets(this.stderr, 'the log');
  }

  toString() {
    return `freshet ${this.args.join(' ')}`;
  }
}

// Runs a command to its end; returns { status, stdout, stderr }.
export async function run(t, args, options = {}) {
  const program = new Program(args, { input: '', ...options });
  t.after(() => program.kill('SIGKILL'));
  const status = await program.exit(options.timeout);
  program.checkOutput();
  return { status, stdout: program.stdout, stderr: program.stderr };
}

// Starts a command that goes on, such as `sub`; it is killed after the test.
export function start(t, args, options = {}) {
  const program = new Program(args, options);
  t.after(async () => {
    program.kill('SIGKILL');
    await program.ended;
    program.checkOutput();
  });
  return program;
}

class Server extends Program {
  checkOutput() {
    super.checkOutput();
    assertNoSecrets(this.stdout, 'standard output');
  }

  async ready() {
    const [, url] = await this.output(/^listening on (https?:\/\/\S+)$/m);
    this.url = url;
    this.port = Number(new URL(url).port);
    return this;
  }

  // Asks it to end and checks that it did so well. Called after each test; a test may do it before.
  async stop() {
    if (this.stopped) {
      return;
    }
    this.stopped = true;
    const died = this.status;
    this.kill('SIGCONT');
    this.kill('SIGTERM');
    let status;
    try {
      status = await this.exit();
    } catch (error) {
      this.kill('SIGKILL');
      throw new Error(`${error.message}; stderr:\n${this.stderr}`);
    }
    this.checkOutput();
    assert.equal(died, undefined, `${this} died during the test (${JSON.stringify(died)}):\n${this.stderr}`);
    assert.equal(status, 0, `${this} ended with ${status}:\n${this.stderr}`);
  }

  // For a test that ends the server itself: the status, and nothing more to check after the test.
  async ending(ms) {
    this.stopped = true;
    const status = await this.exit(ms);
    this.checkOutput();
    return status;
  }
}

// Starts `freshet serve` on a port of its choice, with short draining unless told otherwise, and waits until it says
// that it listens. It is stopped and checked after the test. `secure` is how clients connect to it: see connect(). It
// knows the names by which tests call it over raw sockets, unless `nameless`.
export async function serve(t, args = [], { listen = '127.0.0.1:0', secure, nameless, ...options } = {}) {
  const drain = args.includes('--drain') ? [] : ['--drain', '10ms'];
  const names = args.includes('--host') || nameless ? [] : ['--host', 'h,a'];
  const server = new Server(['serve', '--listen', listen, ...drain, ...names, ...args], options);
  server.secure = secure;
  t.after(() => server.stop().catch(endAll));
  return server.ready();
}
