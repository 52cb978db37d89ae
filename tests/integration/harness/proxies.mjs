// Starts real proxies in front of a server: the very files of docs/proxies, with the ports of the test put in place of
// theirs. A proxy writes into a temporary folder only, and is ended after the test.

import { spawn } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root, until, within } from './env.mjs';

const folder = path.join(root, 'docs/proxies');
const alive = new Set();

// Last resort, when a test file itself is cut short. Each proxy leads a process group.
process.on('exit', () => {
  for (const child of alive) {
    process.kill(-child.pid, 'SIGKILL');
  }
});

// The whole path of a program, also where only root looks for it.
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];
  return folders.map((at) => path.join(at, name)).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

// Every text in `changes` must be there: a file that no longer has it is not the file that was tested.
function change(text, changes, name) {
  for (const [from, to] of changes) {
    if (!text.includes(from)) {
      throw new Error(`docs/proxies/${name} has no ${JSON.stringify(from)}`);
    }
    text = text.replaceAll(from, to);
  }
  return text;
}

// What each proxy is: its program, its file, and how the file becomes one for a test. `silence` is its limit for a
// stream on which nothing comes.
export const proxies = {
  nginx: {
    program: 'nginx',
    file: 'nginx.conf',
    changes: ({ port, upstream, silence, dir }) => [
      ['listen 8080;', `listen 127.0.0.1:${port};`],
      ['server 127.0.0.1:8042;', `server 127.0.0.1:${upstream};`],
      ['proxy_read_timeout 75s;', `proxy_read_timeout ${silence};`],
      ['worker_rlimit_nofile 200000;', ''],
      ['worker_connections 100000;', 'worker_connections 512;'],
      ['http {\n', `http {\n${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};\n`).join('')}`],
    ],
    args: ({ dir, file }) => ['-p', dir, '-c', file, '-e', 'stderr', '-g', `daemon off; pid ${dir}/pid; error_log stderr;`],
  },
  haproxy: {
    program: 'haproxy',
    file: 'haproxy.cfg',
    changes: ({ port, upstream, silence }) => [
      ['bind :8080', `bind 127.0.0.1:${port}`],
      ['127.0.0.1:8042', `127.0.0.1:${upstream}`],
      ['timeout client 75s', `timeout client ${silence}`],
      ['timeout server 75s', `timeout server ${silence}`],
      ['timeout tunnel 75s', `timeout tunnel ${silence}`],
      ['maxconn 100000 ', 'maxconn 512 '],
      ['inter 2s', 'inter 100ms'],
    ],
    args: ({ file }) => ['-f', file, '-db'],
  },
  caddy: {
    program: 'caddy',
    file: 'Caddyfile',
    changes: ({ port, upstream, silence }) => [
      ['\n:8080 {', `\n:${port} {\n\tbind 127.0.0.1`],
      ['127.0.0.1:8042', `127.0.0.1:${upstream}`],
      ['read_timeout 75s', `read_timeout ${silence}`],
      ['grace_period 5s', 'grace_period 100ms\n\tadmin off'],
    ],
    args: ({ file }) => ['run', '--config', file, '--adapter', 'caddyfile'],
  },
  varnish: {
    program: 'varnishd',
    file: 'default.vcl',
    changes: ({ upstream }) => [['"8042"', `"${upstream}"`]],
    args: ({ dir, file, port, silence }) => [
      ...['-F', '-j', 'none', '-n', path.join(dir, 'work'), '-a', `127.0.0.1:${port}`, '-f', file, '-s', 'malloc,8m'],
      ...['-p', 'thread_pool_min=10', '-p', `pipe_timeout=${parseInt(silence, 10)}`],
    ],
  },
};

// A port that nothing listens on. Somebody could take it first, so whoever uses it tries again.
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function isOpen(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true) ?? socket.destroy());
    socket.on('error', () => resolve(false));
  });
}

class Proxy {
  constructor(name, setting) {
    this.name = name;
    this.setting = setting;
  }

  get port() {
    return this.setting.port;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  // Starts it and waits until it takes connections.
  async start() {
    const { program, args } = proxies[this.name];
    const { dir } = this.setting;
    const env = { PATH: process.env.PATH, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
    this.said = '';
    this.child = spawn(findProgram(program), args(this.setting), { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    alive.add(this.child);
    this.ended = new Promise((resolve) => this.child.on('close', () => alive.delete(this.child) && resolve()));
    for (const pipe of [this.child.stdout, this.child.stderr]) {
      pipe.on('data', (text) => { this.said = (this.said + text).slice(-4000); });
    }
    await until(async () => this.child.exitCode !== null || (await isOpen(this.port)), `${this.name} takes connections`);
    if (this.child.exitCode !== null) {
      throw new Error(`${this.name} did not start: ${this.said}`);
    }
  }

  // Ends it and whatever it has started: they are a process group of their own.
  async stop() {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) {
      return;
    }
    this.child.kill('SIGTERM');
    try {
      await within(this.ended, `${this.name} to end`, 5000);
    } catch {
      process.kill(-this.child.pid, 'SIGKILL');
      await this.ended;
    }
  }
}

// Starts the proxy called `name` in front of `server`. `edit` may change its configuration further.
export async function startProxy(t, name, server, { silence = '75s', edit = (text) => text } = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), `freshet-${name}-`));
  chmodSync(dir, 0o755);
  const { file, changes } = proxies[name];
  const setting = { dir, upstream: server.port, silence, file: path.join(dir, file) };
  const proxy = new Proxy(name, setting);
  t.after(async () => {
    await proxy.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  for (let attempts = 3; ; attempts--) {
    setting.port = await freePort();
    const text = readFileSync(path.join(folder, file), 'utf8');
    writeFileSync(setting.file, edit(change(text, changes(setting), file)), { mode: 0o644 });
    try {
      await proxy.start();
      return proxy;
    } catch (error) {
      if (attempts === 1) {
        throw error;
      }
    }
  }
}

// Why a test with this proxy cannot run here; false when it can.
export function missingProxy(name) {
  return findProgram(proxies[name].program) ? false : `${name} is not installed (tools/deps proxies)`;
}
