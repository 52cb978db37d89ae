#!/usr/bin/env node
// What it costs to have events on disk before they are acknowledged. Publishers that wait for each answer are
// measured in turns with a bare loop of one fdatasync for each event, on the same filesystem: the ratio is the figure.
//
// usage: bench/durable.mjs [--short] [--dir DIR]      BENCH_BUILD=build-bench SERVER_CPU=0 LOAD_CPU=1
// DIR is where the files go (by default the system's folder for temporary files: see that it is on a disk).

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { benchOnce, build, machine, markdown, median, number, startFreshet } from './lab.mjs';

const argument = (name, otherwise) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise);
const short = process.argv.includes('--short');
const folder = argument('--dir', tmpdir());
const seconds = short ? 3 : 10;
const turns = short ? 3 : 5;
const size = 200;
const rows = [];

function row(what, target, result, reached, notes = []) {
  rows.push([what, target, result, reached === undefined ? '' : reached ? 'yes' : '**no**', notes.filter(Boolean).join('; ')]);
  console.error(`${what}: ${result} (target ${target}) ${notes.join('; ')}`);
}

// Events a second of one fdatasync each.
function syncFloor() {
  const command = [path.join(build, 'bench', 'sync-floor'), '--dir', folder, '--size', String(size), '--seconds', String(Math.ceil(seconds / 3))];
  const said = execFileSync('taskset', ['-c', process.env.SERVER_CPU ?? '0', ...command]).toString();
  return Number(said.match(/events_per_s=(\d+)/)[1]);
}

// Runs `measure` with a server on a new directory, which is gone afterwards.
async function onDisk(args, measure) {
  const data = mkdtempSync(path.join(folder, 'freshet-durable-'));
  const start = (options) => startFreshet({ ...options, args: ['--data', data, ...args] });
  try {
    return await measure(start, data);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

const used = (data) => readdirSync(data).reduce((sum, name) => sum + statSync(path.join(data, name)).blocks * 512, 0);

async function waiting(name, args, target) {
  const ratios = [];
  const rates = [];
  const floors = [];
  let last;
  for (let turn = 0; turn < turns; turn++) {
    const floor = syncFloor();
    last = await onDisk(args, (start) => benchOnce(start, [
      '--subscribers', '1', '--rate', '0', '--publishers', '256', '--size', String(size), '--duration', `${seconds}s`, '--warmup', '1s']));
    floors.push(floor);
    rates.push(last.events_per_s);
    ratios.push(last.events_per_s / floor);
  }
  row(name, target ? `${target} x the floor` : '', `${number(median(ratios), 1)} x`, target && median(ratios) >= target, [
    `${number(median(rates), 0)} events/s over ${number(median(floors), 0)}`,
    `p50 ${number(last.acknowledged_us?.p50 / 1000, 1)} ms, p99 ${number(last.acknowledged_us?.p99 / 1000, 1)} ms`,
    last.flawless ? '' : 'NOT FLAWLESS',
  ]);
}

const batchOf = (events) => {
  const line = `${JSON.stringify({ topic: 'bench/batch', data: 'x'.repeat(size) })}\n`;
  const body = line.repeat(events);
  return `POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

// Posts batch after batch on one connection until the time is over; returns how many were answered.
function postBatches(port, request, until) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let wanted;
    let got = 0;
    let head = '';
    let answered = 0;
    const next = () => {
      wanted = undefined;
      head = '';
      got = 0;
      socket.write(request);
    };
    socket.on('connect', next);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      got += chunk.length;
      if (wanted === undefined) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) {
          return;
        }
        if (!head.startsWith('HTTP/1.1 200')) {
          reject(new Error(head.slice(0, 500)));
          return;
        }
        wanted = end + 4 + Number(head.match(/content-length: (\d+)/i)[1]);
      }
      if (got === wanted) {
        answered++;
        if (performance.now() < until) {
          next();
        } else {
          socket.end();
          resolve(answered);
        }
      }
    });
  });
}

async function batches(name, args, target) {
  const events = 1000;
  const request = batchOf(events);
  const rates = [];
  let perEvent;
  for (let turn = 0; turn < turns; turn++) {
    await onDisk(args, async (start, data) => {
      const server = await start({});
      const before = used(data);
      const begun = performance.now();
      const answered = await Promise.all(Array.from({ length: 8 }, () => postBatches(server.port, request, begun + seconds * 1000)));
      const count = answered.reduce((sum, n) => sum + n, 0) * events;
      rates.push(count / ((performance.now() - begun) / 1000));
      await server.stop();
      perEvent = (used(data) - before) / count;
    });
  }
  row(name, target ? `${number(target, 0)} events/s` : '', `${number(median(rates), 0)} events/s`, target && median(rates) >= target, [
    `${number(perEvent, 0)} bytes on disk for each event of ${size}`]);
}

const roomy = ['--history-bytes', '16g', '--history-count', '100000000'];
await waiting('256 publishers that wait for the disk', roomy, 60);
await waiting('the same, relaxed', [...roomy, '--durability', 'relaxed']);
await batches('NDJSON, 1,000 events a request, 8 connections', roomy, 300_000);
await batches('the same, relaxed', [...roomy, '--durability', 'relaxed']);
console.log(`${machine()}\n\n${markdown(['what', 'target', 'measured', 'reached', ''], rows)}`);
