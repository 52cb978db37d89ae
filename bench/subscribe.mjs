#!/usr/bin/env node
// What it costs to subscribe, with what a listener may show: nothing, an API key, a token in the header or in a cookie. One
// worker; each listener connects, asks for an event stream, gets its head and goes. By turns, so that what else the machine
// does falls on all alike; processor time of the server for each, and the median of the ratios of single turns.
//
// usage: bench/subscribe.mjs [--short]

import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build, machine, markdown, median, number, startFreshet } from './lab.mjs';

const short = process.argv.includes('--short');
const TURNS = short ? 7 : 21;
const LISTENERS = short ? 2000 : 5000;
const AT_ONCE = 32;

const secret = 'a secret that only this program and the server know';
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({
  sub: 'ann', exp: Math.floor(Date.now() / 1000) + 86400, freshet: { subscribe: ['users/ann/*', 'news/*'], publish: [] } })}`;
const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;

// Nanoseconds of the processor that all of a process's threads have had.
function spent(pid) {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, each) => sum + each, 0);
}

function listen(port, request) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
    socket.once('data', (head) => {
      socket.resetAndDestroy();
      head.toString('latin1').startsWith('HTTP/1.1 200') ? resolve() : reject(new Error(head.toString().split('\r\n')[0]));
    });
    socket.on('error', reject);
  });
}

async function turn(server, topic, header) {
  const request = `GET /events/${topic} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n${header}\r\n`;
  const port = Number(new URL(server.urls.at(-1)).port);
  const [pid] = server.pids();
  const before = spent(pid);
  let left = LISTENERS;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) {
      await listen(port, request);
    }
  }));
  return (spent(pid) - before) / 1000 / LISTENERS;
}

const folder = mkdtempSync(path.join(tmpdir(), 'freshet-bench-'));
const keys = path.join(folder, 'keys');
writeFileSync(path.join(folder, 'secret'), secret);
const key = execFileSync(path.join(build, 'freshet'), ['key', 'bench', '--subscribe', 'news/*', '--file', keys]).toString().trim();
const open = await startFreshet();
const closed = await startFreshet({ args: ['--jwt-secret-file', path.join(folder, 'secret'), '--api-keys-file', keys, '--public-subscribe', 'open'] });
const kinds = [
  ['a server without keys', open, 'news/today', ''],
  ['a public topic, nothing shown', closed, 'open', ''],
  ['an API key', closed, 'news/today', `Authorization: Bearer ${key}\r\n`],
  ['a token (HS256) in the header', closed, 'news/today', `Authorization: Bearer ${token}\r\n`],
  ['the same in a cookie', closed, 'news/today', `Cookie: freshet_token=${token}\r\n`],
];
const costs = kinds.map(() => []);
try {
  for (let i = 0; i <= TURNS; i++) {
    for (const [k, [, server, topic, header]] of kinds.entries()) {
      const cost = await turn(server, topic, header);
      if (i) { // the first turn warms up
        costs[k].push(cost);
      }
    }
  }
} finally {
  await Promise.all([open.stop(), closed.stop()]);
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${machine()}\n`);
console.log(markdown(['shown', 'µs of the server', 'a second of one processor', 'ratio'], kinds.map(([name], k) => [
  name, number(median(costs[k])), number(1e6 / median(costs[k]), 0), `${number(median(costs[k].map((cost, i) => cost / costs[0][i])), 2)} ×`])));
