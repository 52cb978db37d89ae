// One bash for the commands of a page, in a directory of its own: what a block sets is there in the next one. A server
// that the page starts, or the one that it silently supposes, listens on a free port, and the ports of the page stand for
// that. What keeps running (servers, listeners) is a process group that ends with the page.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { binary, patience, root, until, within } from '../integration/harness/env.mjs';
import { parseMetrics } from '../integration/harness/api.mjs';
import { rights, token } from '../integration/harness/tokens.mjs';

const read = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

// Ends everything that a shell has ever started, whatever group it is in: it is the leader of their session.
function killSession(leader) {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const session = read(`/proc/${pid}/stat`).replace(/^.*\) /, '').split(' ')[3];
    if (Number(session) === leader) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

// Last resort, when a test file itself is cut short.
const alive = new Set();
process.on('exit', () => alive.forEach(killSession));

// Paths of an installed system, which in a test are below the page's directory.
const systemPaths = /(^|[\s='"(:])(\/(?:etc|srv|var\/lib|run)\/)/gm;

export class Shell {
  constructor(page) {
    this.page = page;
    this.home = mkdtempSync(path.join(os.tmpdir(), 'freshet-docs-'));
    this.work = path.join(this.home, 'work');
    for (const folder of ['bin', 'work/build', 'etc/freshet', 'var/lib', 'srv', 'run', 'state']) {
      mkdirSync(path.join(this.home, folder), { recursive: true });
    }
    symlinkSync(binary, path.join(this.home, 'bin/freshet'));
    symlinkSync(binary, path.join(this.work, 'build/freshet'));
    symlinkSync(path.join(root, 'tests/node_modules'), path.join(this.work, 'node_modules'));
    writeFileSync(path.join(this.home, 'etc/freshet.conf'), 'heartbeat = 15s\n');
    this.ports = new Map(); // of the page, to those that they are
    this.running = [];
    this.count = 0;
    this.waiting = new Map();
    this.said = '';
    this.#start();
  }

  #start() {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(FRESHET_|XDG_|NODE_|http_proxy|HTTP_PROXY)/.test(name));
    const library = path.join(path.dirname(binary), 'src'); // as if it were installed
    const env = {
      ...Object.fromEntries(inherited), HOME: this.home, PATH: `${this.home}/bin:${process.env.PATH}`, LC_ALL: 'C.UTF-8',
      CPATH: path.join(root, 'include'), LIBRARY_PATH: library, LD_LIBRARY_PATH: library,
      GOCACHE: process.env.GOCACHE ?? path.join(os.homedir(), '.cache/go-build'), GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local',
      FRESHET_LISTEN: '127.0.0.1:0', FRESHET_DRAIN: '10ms', XDG_STATE_HOME: path.join(this.home, '.local/state'),
    };
    this.bash = spawn('bash', ['--norc'], { cwd: this.work, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    alive.add(this.bash.pid);
    this.bash.stdin.on('error', () => {});
    this.bash.stderr.resume();
    this.bash.stdout.setEncoding('utf8').on('data', (text) => this.#hear(text));
    this.ended = new Promise((resolve) => this.bash.on('close', resolve));
    this.bash.stdin.write('set -m; set -o pipefail\n');
  }

  #hear(text) {
    this.said += text;
    for (let end; (end = this.said.indexOf('\n')) >= 0; this.said = this.said.slice(end + 1)) {
      const [what, number, value] = this.said.slice(0, end).split(' ');
      this.waiting.get(`${what} ${number}`)?.(Number(value));
    }
  }

  // The command, with the addresses and paths of the test.
  #place(command) {
    return command.replace(systemPaths, `$1${this.home}$2`)
      .replace(/(localhost|127\.0\.0\.1|\[::1\]):(\d{4})\b/g, (all, host, port) =>
        (this.ports.has(port) ? `${host}:${this.ports.get(port)}` : all));
  }

  // A file of the page, with the addresses of the test. Ports are read from the environment where a server comes later.
  placeFile(text) {
    return this.#place(text);
  }

  async #say(what, line, number) {
    const heard = new Promise((resolve) => this.waiting.set(`${what} ${number}`, resolve));
    this.bash.stdin.write(`${line}\n`);
    return heard;
  }

  #files(command) {
    const number = ++this.count;
    const file = (name) => path.join(this.home, 'state', `${number}.${name}`);
    writeFileSync(file('sh'), `${command}\n`);
    return { number, script: file('sh'), out: file('out'), err: file('err') };
  }

  // Runs a command to its end: { status, stdout, stderr }.
  async run(command) {
    const { number, script, out, err } = this.#files(this.#place(command));
    const line = `. ${script} >${out} 2>${err} </dev/null; echo done ${number} $?`;
    const status = await within(this.#say('done', line, number), `${this.page}: ${command}`, 10 * patience); // a compiler, the first time
    return { status, stdout: this.#back(read(out)), stderr: this.#back(read(err)) };
  }

  // What was printed, with the addresses and paths of the page.
  #back(text) {
    let all = text.replaceAll(this.home, '');
    for (const [port, real] of this.ports) {
      all = all.replaceAll(`:${real}`, `:${port}`);
    }
    return all;
  }

  // Starts what keeps running.
  async #background(command) {
    const { number, script, out, err } = this.#files(command);
    const line = `( . ${script} ) >${out} 2>${err} </dev/null & echo started ${number} $!`;
    const pid = await within(this.#say('started', line, number), `${this.page}: ${command}`);
    const gone = () => {
      try {
        process.kill(-pid, 0);
        return false;
      } catch {
        return true;
      }
    };
    const child = { command, pid, gone, stdout: () => this.#back(read(out)), stderr: () => this.#back(read(err)) };
    this.running.push(child);
    return child;
  }

  // Starts `freshet serve …`, in place of the one before; returns when it listens.
  async serve(command) {
    const named = [...command.matchAll(/--listen[ =]'?(?:https?:\/\/)?[\w.:[\]]*?:(\d+)/g)].map(([, port]) => port);
    await this.#stopServer();
    this.ports.clear();
    const free = command.replace(/(--listen[ =]'?(?:https?:\/\/)?)[\w.]*:\d+/g, '$1127.0.0.1:0').replace(/\[::1\]:\d+/g, '[::1]:0');
    // Without exec, what bash leaves behind would be init's to bury, which may take its time.
    this.server = await this.#background(this.#place(free).replace(/^((?:\w+=\S+ )*)/, '$1exec '));
    const expected = named.length || 1;
    const listening = () => [...this.server.stdout().matchAll(/^listening on (https?:\/\/\S+?:(\d+)|unix:\S+)$/gm)];
    await until(() => listening().length >= expected || this.server.gone(), `${this.page}: ${command} listens`);
    assert.ok(listening().length >= expected, `${this.page}: ${command} does not listen:\n${this.server.stderr()}`);
    const found = listening().filter(([, , port]) => port);
    found.forEach(([, , port], at) => this.ports.set(named[at] ?? '8042', port));
    this.url = found[0]?.[1].replace(/:\d+$/, `:${found[0][2]}`);
    await this.run(`export FRESHET_URL=${this.url ?? ''}`);
  }

  async #stopServer() {
    if (this.server) {
      process.kill(-this.server.pid, 'SIGTERM');
      await until(() => this.server.gone(), `${this.page}: ${this.server.command} ends`);
      this.running.splice(this.running.indexOf(this.server), 1);
    }
    this.server = undefined;
  }

  // The server that a page supposes is there.
  async supposeServer() {
    if (!this.server) {
      await this.serve("freshet serve --cors-origin '*'");
    }
  }

  // How many subscriptions were ever opened; where that is a secret, as an administrator by the page's own secret.
  async #opened() {
    const secret = read(path.join(this.work, 'secret')).trimEnd();
    const claims = { freshet: { ...rights().freshet, admin: true } };
    const headers = secret ? { authorization: `Bearer ${token(claims, { key: secret })}` } : {};
    const answer = await fetch(`${this.url}/metrics`, { headers });
    assert.equal(answer.status, 200, `${this.page}: /metrics`);
    return parseMetrics(await answer.text()).samples.get('freshet_subscriptions_opened_total');
  }

  // Starts a command that listens; returns when the server has it, or when it has ended.
  async listen(command) {
    const secure = this.url.startsWith('https:');
    const before = secure ? 0 : await this.#opened();
    const child = await this.#background(this.#place(command));
    await until(async () => child.gone() || (secure ? child.stdout() !== '' : (await this.#opened()) > before),
      `${this.page}: ${command} listens`);
    return child;
  }

  // Ends everything.
  async close() {
    for (const { pid } of this.running) {
      try {
        process.kill(-pid, 'SIGTERM');
      } catch {
        // It has ended by itself.
      }
    }
    this.bash.stdin.end('wait 2>/dev/null\n');
    try {
      await within(this.ended, `the shell of ${this.page} to end`);
    } finally {
      killSession(this.bash.pid);
      alive.delete(this.bash.pid);
      await this.ended;
      rmSync(this.home, { recursive: true, force: true });
    }
  }
}
