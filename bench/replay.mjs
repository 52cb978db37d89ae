#!/usr/bin/env node
// What it costs to read the past from disk, and what those who live notice of it: one listener that reads a million
// events, in turns with a `cat` of the same bytes into a socket; thousands that catch up at once beside a thousand
// that live; the server's memory and its file meanwhile; and a start with ten million events.
//
// usage: bench/replay.mjs [--short | --million] [--dir DIR]      BENCH_BUILD=build-bench SERVER_CPU=0 LOAD_CPU=1
// DIR is where the files go (by default the system's folder for temporary files): up to 1 GB, or 4 GB without --short.
// --million measures one thing alone: a thousand listeners that replay a million events each beside a thousand that
// live. That is 240 GB through the loopback: two minutes on a quiet machine, an hour at most.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build, loadCpu, machine, markdown, median, number, serverCpu, startFreshet } from './lab.mjs';

const argument = (name, otherwise) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise);
const short = process.argv.includes('--short');
const folder = mkdtempSync(path.join(argument('--dir', tmpdir()), 'freshet-replay-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const events = 1_000_000;
const many = short ? 1_000_000 : 10_000_000;
const turns = short ? 3 : 5;
const topic = '/events/topic/0';
const rows = [];

function row(what, target, result, reached, notes = []) {
  rows.push([what, target, result, reached === undefined ? '' : reached ? 'yes' : '**no**', notes.filter(Boolean).join('; ')]);
  console.error(`${what}: ${result} (target ${target}) ${notes.join('; ')}`);
}

const values = (text) => Object.fromEntries(text.trim().split(/\s+/).map((pair) => {
  const [key, value] = pair.split('=');
  return [key, Number(value)];
}));

const pinned = (cpu, program, args) =>
  values(execFileSync('taskset', ['-c', cpu, path.join(build, 'bench', program), ...args.map(String)]).toString());

const store = (name, count) => pinned(serverCpu, 'bench-history', [path.join(folder, name), count, 1, 200, 'keep']);
const start = (name) => startFreshet({
  args: ['--data', path.join(folder, name), '--history-bytes', '16g', '--history-count', '1000000000', '--history-age', '0', '--header-timeout', '1m'],
});
const sizeOf = (name) => statSync(path.join(folder, name, 'data.mdb')).size;

const replay = (server, options) => pinned(loadCpu, 'bench-replay',
  Object.entries({ port: server.port, pid: server.pid, ...options }).flatMap(([key, value]) => [`--${key}`, value]));

// The cursor after which so many events of the topic come.
function cursorBefore(server, count) {
  return new Promise((resolve, reject) => {
    const options = { port: server.port, path: `${topic}?last=${count + 1}&limit=1`, headers: { accept: 'application/json' } };
    http.get(options, (response) => response.resume() && resolve(response.headers['last-event-id'])).on('error', reject);
  });
}

async function one(server) {
  const file = path.join(folder, 'bytes');
  const all = { path: `${topic}?last_event_id=earliest&control=1` };
  replay(server, { ...all, save: file });
  const runs = Array.from({ length: turns }, () => {
    const mine = replay(server, all);
    const cat = pinned(loadCpu, 'bench-replay', ['--cat', file, '--cat-cpu', serverCpu]);
    return { mine, cat, ratio: mine.mb_per_s / cat.mb_per_s };
  });
  rmSync(file);
  const of = (pick) => median(runs.map(pick));
  const [mb, ratio] = [of((run) => run.mine.mb_per_s), of((run) => run.ratio)];
  row('1,000,000 events from disk to one listener', '1,000 MB/s, or 80 % of cat', `${number(mb, 0)} MB/s, ${number(ratio * 100, 0)} %`,
    mb >= 1000 || ratio >= 0.8, [
      `cat ${number(of((run) => run.cat.mb_per_s), 0)} MB/s`,
      `processor time ${number(of((run) => run.mine.server_cpu_s), 2)} s, of cat ${number(of((run) => run.cat.cat_cpu_s), 2)} s`,
      `${number(events / of((run) => run.mine.seconds), 0)} events/s`]);
}

async function crowd(server, readers, each, name, limit = 170) {
  const before = sizeOf('million');
  const cursor = each < events ? await cursorBefore(server, each) : 'earliest';
  const seen = replay(server, {
    readers, live: 1000, limit, before: short ? 5 : 10, path: `${topic}?last_event_id=${cursor}&control=1` });
  row(name, '', `p99 of the live ones ${number(seen.during_p99_ms)} ms, without ${number(seen.before_p99_ms)} ms: ${
    number(seen.during_p99_ms / seen.before_p99_ms, 2)} x`, undefined, [
    `p50 ${number(seen.during_p50_ms)} and ${number(seen.before_p50_ms)} ms`,
    `${number(seen.mb_per_s, 0)} MB/s for ${number(seen.seconds)} s`,
    `the server's own memory ${seen.own_kb_before} kB before, ${seen.own_kb_most} kB at most, ${seen.own_kb_after} kB after`,
    `the file grew by ${number(sizeOf('million') - before, 0)} bytes`]);
}

// What is measured with a million events on disk.
async function million(measure) {
  const stored = store('million', events);
  row('bytes on disk for an event of 200', '', number(stored.bytes_per_event, 0));
  const server = await start('million');
  try {
    await measure(server);
  } finally {
    await server.stop();
    rmSync(path.join(folder, 'million'), { recursive: true });
  }
}

async function usual(server) {
  await one(server);
  await crowd(server, 10_000, 1000, '10,000 listeners that catch up 1,000 events each');
  await crowd(server, 1000, short ? 10_000 : 100_000, `1,000 listeners that replay ${short ? '10,000' : '100,000'} events each`);
}

const whole = (server) => crowd(server, 1000, events, '1,000 listeners that replay 1,000,000 events each', 3600);

async function startWithMany() {
  const stored = store('many', many);
  const took = [];
  for (let turn = 0; turn < turns; turn++) {
    const began = performance.now();
    const server = await start('many');
    took.push(performance.now() - began);
    await server.stop();
  }
  row(`start with ${number(many, 0)} events`, 'under 1,000 ms', `${number(median(took), 0)} ms`, median(took) < 1000,
    [`${number(stored.bytes_per_event, 0)} bytes each, stored at ${number(stored.stored_per_s, 0)} events/s`]);
}

if (process.argv.includes('--million')) {
  await million(whole);
} else {
  await million(usual);
  await startWithMany();
}
console.log(`${machine()}\n\n${markdown(['what', 'target', 'measured', 'reached', ''], rows)}`);
