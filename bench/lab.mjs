// What the scripts in this folder share: servers on one processor, load on another, and a table at the end. It
// starts only what it stops, on loopback ports of its own choice, and every run ends by itself.

import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const build = path.resolve(root, process.env.BENCH_BUILD ?? 'build-bench');
const freshet = path.join(build, 'freshet');

// With a single processor the two share it, and nothing here means much.
export const cpus = os.availableParallelism?.() ?? os.cpus().length;
export const serverCpu = process.env.SERVER_CPU ?? '0';
export const loadCpu = process.env.LOAD_CPU ?? (cpus > 1 ? '1' : '0');

const RUN_LIMIT_MS = 180_000;
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => process.exit(1));
}

const pinned = (cpu, command) => ['taskset', ['-c', cpu, ...command]];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function find(name) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => path.join(folder, name)).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function reachable(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true) ?? socket.destroy());
    socket.on('error', () => resolve(false));
  });
}

// Starts a server and waits until it takes connections. It gets a chance to end by itself.
async function startServer(name, cpu, command, port, extra = {}) {
  const [program, args] = pinned(cpu, command);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  running.add(child);
  child.stderr.on('data', (text) => { said = (said + text).slice(-2000); });
  const ended = new Promise((resolve) => child.on('close', () => running.delete(child) && resolve()));
  for (let i = 0; !(await reachable(port)); i++) {
    if (child.exitCode !== null || i > 200) {
      throw new Error(`${name} did not start: ${said}`);
    }
    await sleep(25);
  }
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
    await ended;
    clearTimeout(timer);
    extra.cleanUp?.();
  };
  return { name, pid: child.pid, port, stop, pids: extra.pids ?? (() => [child.pid]), urls: extra.urls };
}

// With a template, listeners subscribe to what it makes of {topic}, and events go to a topic below.
export async function startFreshet({ workers = 1, cpu = serverCpu, args = [], template = '' } = {}) {
  const port = await freePort();
  const command = [freshet, 'serve', '--listen', `127.0.0.1:${port}`, '--workers', String(workers), '--log-level', 'error',
    '--drain', '10ms', ...args];
  const base = `http://127.0.0.1:${port}`;
  const urls = template ? ['--subscribe-url', `${base}/events?topic=${template}`, '--publish-url', `${base}/events/{topic}/event`] : ['--url', base];
  return startServer('freshet', cpu, command, port, { urls });
}

// The process itself, and every process whose parent it is.
function family(pid) {
  try {
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)]).toString();
    return [pid, ...children.trim().split(/\s+/).filter(Boolean).map(Number)];
  } catch {
    return [pid]; // ps fails when there are none
  }
}

// Gives a server of several processes the time to start them all, so that none is left out of the account.
async function withFamily(server, children) {
  for (let i = 0; family(server.pid).length <= children && i < 200; i++) {
    await sleep(25);
  }
  server.pids = () => family(server.pid);
  return server;
}

function scratch() {
  const folder = mkdtempSync(path.join(tmpdir(), 'freshet-bench-'));
  return { folder, cleanUp: () => rmSync(folder, { recursive: true, force: true }) };
}

// nginx with Nchan, one worker. NGINX_PROGRAM and NCHAN_MODULE say where they are, if not where Debian puts them.
export function nchanPrograms() {
  const program = process.env.NGINX_PROGRAM ?? find('nginx');
  const module = process.env.NCHAN_MODULE ?? '/usr/lib/nginx/modules/ngx_nchan_module.so';
  return program && existsSync(module) ? { program, module } : undefined;
}

export async function startNchan() {
  const { program, module } = nchanPrograms();
  const { folder, cleanUp } = scratch();
  const port = await freePort();
  const config = path.join(folder, 'nginx.conf');
  writeFileSync(config, `load_module ${module};
worker_processes 1;
worker_rlimit_nofile 20000;
daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log error;
events { worker_connections 19000; use epoll; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000000;
  nchan_shared_memory_size 512m;
  nchan_message_buffer_length 1000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /pub { nchan_publisher; nchan_channel_id $arg_id; nchan_message_timeout 1h; }
    location = /sub { nchan_subscriber eventsource; nchan_channel_id $arg_id; nchan_subscriber_first_message newest; }
  }
}
`);
  const command = [program, '-p', folder, '-e', `${folder}/error.log`, '-c', config];
  const server = await startServer('nchan', serverCpu, command, port, {
    cleanUp,
    urls: ['--subscribe-url', `http://127.0.0.1:${port}/sub?id={topic}`, '--publish-url', `http://127.0.0.1:${port}/pub?id={topic}`],
  });
  return withFamily(server, 1);
}

// Pushpin holds what a backend tells it to (GRIP), so a backend of a few lines runs beside it, in this process, and is
// asked once for each listener. It gets a Zurl of its own, for nothing to be needed in /var/run, and takes listeners
// slowly: with many under way at a time it forgets some, so there are few, and more patience. Debian's package starts a
// service of its own that is not used here.
export const pushpinProgram = () => process.env.PUSHPIN ?? find('pushpin');

function startBackend() {
  const backend = http.createServer((request, response) => {
    response.writeHead(200, {
      'content-type': 'text/event-stream', 'grip-hold': 'stream',
      'grip-channel': new URL(request.url, 'http://h').searchParams.get('id'),
    });
    response.end(':\n\n');
  });
  return new Promise((resolve) => backend.listen(0, '127.0.0.1', () => resolve(backend)));
}

export async function startPushpin() {
  const { folder, cleanUp } = scratch();
  const backend = await startBackend();
  const [port, publish] = [await freePort(), await freePort()];
  writeFileSync(path.join(folder, 'routes'), `* 127.0.0.1:${backend.address().port}\n`);
  writeFileSync(path.join(folder, 'pushpin.conf'), `[global]
include={libdir}/internal.conf
rundir=${folder}
[runner]
services=condure,zurl,pushpin-proxy,pushpin-handler
http_port=127.0.0.1:${port}
logdir=${folder}
log_level=0
client_maxconn=19000
[proxy]
routesfile=${folder}/routes
zurl_out_specs=ipc://${folder}/pushpin-zurl-in
zurl_out_stream_specs=ipc://${folder}/pushpin-zurl-in-stream
zurl_in_specs=ipc://${folder}/pushpin-zurl-out
[handler]
push_in_http_addr=127.0.0.1
push_in_http_port=${publish}
message_rate=1000000
message_hwm=1000000
`);
  const item = '{"items":[{"channel":"{topic}","formats":{"http-stream":{"content":"data: {data}\\n\\n"}}}]}';
  const server = await startServer('pushpin', serverCpu, [pushpinProgram(), `--config=${folder}/pushpin.conf`], port, {
    cleanUp: () => backend.close() && cleanUp(),
    urls: ['--subscribe-url', `http://127.0.0.1:${port}/sub?id={topic}`, '--publish-url', `http://127.0.0.1:${publish}/publish/`,
      '--publish-body', item, '--publish-type', 'application/json'],
  });
  server.args = ['--connecting', '32', '--patience', '20s'];
  return withFamily(server, 4);
}

// Runs `freshet bench` against a server and gives back its report. What went wrong in the report is in the report.
export function bench(server, args, { cpu = loadCpu, started = () => {} } = {}) {
  const pids = server.pids().flatMap((pid) => ['--pid', String(pid)]);
  const [program, all] = pinned(cpu, [freshet, 'bench', '--json', ...server.urls, ...(server.args ?? []), ...pids, ...args]);
  return new Promise((resolve, reject) => {
    const child = spawn(program, all, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let said = '';
    running.add(child);
    started(child.pid);
    const timer = setTimeout(() => child.kill('SIGKILL'), RUN_LIMIT_MS);
    child.stdout.on('data', (text) => { output += text; });
    child.stderr.on('data', (text) => { said += text; });
    child.on('close', () => {
      running.delete(child);
      clearTimeout(timer);
      try {
        resolve(JSON.parse(output));
      } catch {
        reject(new Error(`freshet bench ${args.join(' ')}: ${said || 'it said nothing'}`));
      }
    });
  });
}

// A server for one run.
export async function benchOnce(start, args, options) {
  const server = await start();
  try {
    return await bench(server, args, options);
  } finally {
    await server.stop();
  }
}

// The lines that a program of bench/ prints, as objects; numbers as numbers.
export function lines(name, args = []) {
  const text = execFileSync(path.join(build, 'bench', name), args, { timeout: RUN_LIMIT_MS }).toString();
  return text.trim().split('\n').map((line) => Object.fromEntries(line.split(' ').map((pair) => {
    const [key, value] = pair.split('=');
    return [key, Number.isNaN(Number(value)) ? value : Number(value)];
  })));
}

export function floor({ sockets, rate = 0, burst = 0, size = 129, seconds }) {
  const args = Object.entries({ sockets, rate, burst, size, seconds, cpu: serverCpu, 'reader-cpu': loadCpu });
  return lines('floor', args.flatMap(([name, value]) => [`--${name}`, String(value)]))[0];
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function markdown(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const number = (value, digits = 1) =>
  (!Number.isFinite(value) ? '–' :
    value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: value < 100 ? digits : 0 }));

export function machine() {
  let model = os.cpus()[0]?.model ?? 'unknown';
  try {
    model = readFileSync('/proc/cpuinfo', 'utf8').match(/model name\s*: (.*)/)[1];
  } catch { /* not Linux */ }
  return `${model}, ${cpus} processors, ${os.type()} ${os.release()}, load average ${os.loadavg()[0].toFixed(1)} at the start`;
}
