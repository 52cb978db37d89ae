#!/usr/bin/env node
// What TLS costs: processor time for a delivery, memory for a listener, handshakes a second, and how long deliveries
// wait during a flood of handshakes. Plain and TLS alternate, in one run. Needs build-bench and the openssl command.
//
//     bench/tls.mjs [delivery] [memory] [connect] [flood]

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const freshet = process.env.FRESHET_BIN ?? path.join(root, 'build-bench/freshet');
const client = path.join(root, 'build-bench/bench/bench-tls');
const dir = mkdtempSync(path.join(tmpdir(), 'bench-tls-'));
const cert = path.join(dir, 'a.pem');
const key = path.join(dir, 'a.key');
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key,
  '-out', cert, '-subj', '/CN=localhost', '-days', '2'], { stdio: 'pipe' });

async function start() {
  const child = spawn('taskset', ['-c', '0', freshet, 'serve', '--workers', '1', '--listen', 'http://127.0.0.1:0', '--listen',
    'https://127.0.0.1:0', '--tls-cert', cert, '--tls-key', key, '--header-timeout', '60s', '--drain', '1ms', '--heartbeat', '0'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, FRESHET_LOG_LEVEL: 'error' } });
  const ports = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const [, scheme, port] = line.match(/^listening on (https?):.*:(\d+)$/);
    ports[scheme] = Number(port);
    if (ports.http && ports.https) {
      break;
    }
  }
  return { child, pid: child.pid, plain: ports.http, secure: ports.https };
}

async function stop({ child }) {
  child.kill();
  await once(child, 'exit');
}

// Nanoseconds of processor time so far.
function cpu(pid) {
  return readdirSync(`/proc/${pid}/task`)
    .reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0);
}

function anonymous(pid) {
  return Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Anonymous:\s+(\d+) kB/m)[1]) * 1024;
}

async function listeners(server, count, plain) {
  const child = spawn(client, ['listen', '--port', plain ? server.plain : server.secure, '--sockets', count, '--plain',
    plain ? 1 : 0, '--reader-cpu', 1], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function post(server, data) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port: server.plain, method: 'POST', path: '/events/a', agent }, (response) => {
      response.resume().on('end', resolve);
    });
    request.on('error', reject).end(data);
  });
}

// Microseconds of processor time for one delivery, of events published at a rate.
async function delivery(count, plain, seconds, rate, size) {
  const server = await start();
  const child = await listeners(server, count, plain);
  const data = 'x'.repeat(size - 35); // so that the event has this size
  await post(server, data);
  await sleep(300);
  const before = cpu(server.pid);
  const began = performance.now();
  for (let i = 0; i < seconds * rate; i++) {
    await post(server, data);
    await sleep(Math.max(0, began + ((i + 1) * 1000) / rate - performance.now()));
  }
  const used = cpu(server.pid) - before;
  child.stdin.end();
  await stop(server);
  return used / 1000 / (seconds * rate * count);
}

function floor(count, plain, seconds, rate, size) {
  const { stdout } = spawnSync(client, ['floor', '--sockets', count, '--plain', plain ? 1 : 0, '--seconds', seconds, '--rate', rate,
    '--size', size, '--cpu', 0, '--reader-cpu', 1].map(String), { encoding: 'utf8' });
  return Number(stdout.match(/cpu_us_per_send=(\S+)/)[1]);
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const shown = (list) => `${median(list).toFixed(median(list) < 100 ? 2 : 0)} (${list.map((n) => n.toFixed(n < 100 ? 2 : 0)).join(' ')})`;

async function deliveries() {
  for (const size of [129, 1300, 13000]) {
    const [plain, secure, bare, barePlain] = [[], [], [], []];
    for (let i = 0; i < 5; i++) {
      plain.push(await delivery(1000, true, 2, 20, size));
      secure.push(await delivery(1000, false, 2, 20, size));
      bare.push(floor(1000, false, 2, 20, size));
      barePlain.push(floor(1000, true, 2, 20, size));
    }
    console.log(`delivery of ${size} bytes to 1,000, µs of processor time: plain ${shown(plain)}, TLS ${shown(secure)}, ` +
      `bare send ${shown(barePlain)}, bare SSL_write ${shown(bare)}: TLS/plain ${(median(secure) / median(plain)).toFixed(2)}, ` +
      `TLS/bare SSL_write ${(median(secure) / median(bare)).toFixed(2)}`);
  }
}

async function memory() {
  for (const count of [2000, 4000]) {
    for (const plain of [true, false]) {
      const server = await start();
      const before = anonymous(server.pid);
      const child = await listeners(server, count, plain);
      await sleep(500);
      const idle = anonymous(server.pid);
      await post(server, 'x'.repeat(100));
      await sleep(500);
      console.log(`memory of ${count} ${plain ? 'plain' : 'TLS 1.3'} listeners: ${Math.round((idle - before) / count)} bytes each ` +
        `(anonymous memory), ${Math.round((anonymous(server.pid) - before) / count)} after an event`);
      child.stdin.end();
      await stop(server);
    }
  }
}

// openssl s_server with the same certificate, on the same processor.
async function startPeer() {
  const child = spawn('taskset', ['-c', '0', 'openssl', 's_server', '-www', '-cert', cert, '-key', key, '-accept', '127.0.0.1:0',
    '-num_tickets', '1'], { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = line.match(/^ACCEPT .*:(\d+)$/)?.[1];
    if (port) {
      return { child, pid: child.pid, secure: Number(port) };
    }
  }
  throw new Error('openssl s_server did not start');
}

// Handshakes a second that a server's processor would bear, from what one costs it.
function handshakes(server, resume) {
  const before = cpu(server.pid);
  const { stdout } = spawnSync(client, ['connect', '--port', server.secure, '--seconds', 2, '--resume', resume, '--reader-cpu', 1].map(String),
    { encoding: 'utf8' });
  return 1e9 / ((cpu(server.pid) - before) / Number(stdout.match(/count=(\d+)/)[1]));
}

async function connects() {
  const server = await start();
  const peer = await startPeer();
  for (const resume of [0, 1]) {
    const [own, theirs] = [[], []];
    for (let i = 0; i < 5; i++) {
      own.push(handshakes(server, resume));
      theirs.push(handshakes(peer, resume));
    }
    console.log(`new connections with a request, ${resume ? 'resumed' : 'in full'}, a second of the processor: freshet ${shown(own)}, ` +
      `openssl s_server ${shown(theirs)}: ${(median(own) / median(theirs)).toFixed(2)}`);
  }
  await stop(peer);
  await stop(server);
}

// How long a listener waits for an event, quiet and while others shake hands without pause.
async function flood() {
  const server = await start();
  const many = await listeners(server, 100, false);
  const socket = http.get({ port: server.plain, path: '/events/a' });
  const [response] = await once(socket, 'response');
  let heard;
  response.on('data', () => heard?.());
  await sleep(200);
  const measure = async () => {
    const times = [];
    for (let i = 0; i < 300; i++) {
      const arrived = new Promise((resolve) => { heard = resolve; });
      const began = performance.now();
      await post(server, 'x');
      await arrived;
      times.push(performance.now() - began);
      await sleep(5);
    }
    times.sort((a, b) => a - b);
    return { p50: times[150], p99: times[297] };
  };
  for (let i = 0; i < 3; i++) {
    const quiet = await measure();
    const others = spawn(client, ['flood', '--port', server.secure, '--seconds', 60, '--sockets', 16, '--reader-cpu', 1].map(String), { stdio: 'ignore', detached: true });
    await sleep(300);
    const used = cpu(server.pid);
    const began = performance.now();
    const loud = await measure();
    const busy = (cpu(server.pid) - used) / 1e4 / (performance.now() - began);
    process.kill(-others.pid, 'SIGKILL');
    await once(others, 'exit');
    console.log(`publish to arrival: quiet p50 ${quiet.p50.toFixed(2)} p99 ${quiet.p99.toFixed(2)} ms, during a flood of handshakes ` +
      `p50 ${loud.p50.toFixed(2)} p99 ${loud.p99.toFixed(2)} ms: p99 ratio ${(loud.p99 / quiet.p99).toFixed(1)}; the server's processor was busy for ${busy.toFixed(0)} %`);
  }
  many.stdin.end();
  socket.destroy();
  await stop(server);
}

const parts = { delivery: deliveries, memory, connect: connects, flood };
try {
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts)) {
    await parts[name]();
  }
} finally {
  agent.destroy();
  rmSync(dir, { recursive: true });
}
