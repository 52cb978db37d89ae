#!/usr/bin/env node
// The tail of the latency under a steady half load, and what makes it: 1,000 listeners of one topic, half as many events
// a second as would keep the server's processor busy. A listener waits for the sends to those before it; whatever is
// longer than one round of sends must come from somewhere, and mostly it comes from a processor that others had. So both
// processes' time on and off the processor is told beside it (Linux: schedstat), and the longest single wait (perf sched,
// where it may be used).
//
// usage: bench/tail.mjs [--short]

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bench, benchOnce, build, find, machine, markdown, number, startFreshet } from './lab.mjs';

const short = process.argv.includes('--short');
const seconds = short ? 5 : 60;
const LISTENERS = 1000;
const SAMPLE_MS = 100;

// Time on the processor, time waiting for one, and switches that the scheduler forced, over all threads, which it notes.
function schedule(pid, threads = new Set()) {
  const sum = { ran: 0, waited: 0, forced: 0 };
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      threads.add(task);
      const [ran, waited] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ').map(Number);
      sum.ran += ran / 1e6;
      sum.waited += waited / 1e6;
      sum.forced += Number(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8').match(/nonvoluntary_ctxt_switches:\s*(\d+)/)[1]);
    }
  } catch {
    return undefined; // it has ended, or this is not Linux
  }
  return sum;
}

// Records who waited for a processor, and tells how long these threads did at most.
function startRecording() {
  const folder = mkdtempSync(path.join(tmpdir(), 'freshet-tail-'));
  const file = path.join(folder, 'sched.data');
  const child = spawn('perf', ['sched', 'record', '-q', '-o', file, '--', 'sleep', '600'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve).on('error', resolve));
  return async (threads) => {
    child.kill('SIGINT');
    await ended;
    let longest;
    try {
      const text = execFileSync('perf', ['sched', 'latency', '-p', '-i', file], { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 << 20 }).toString();
      for (const [, thread, max] of text.matchAll(/^\s*[^|]+?:(\d+)\s*\|.*max:\s*([\d.]+) ms \|/gm)) {
        longest = threads.has(thread) ? Math.max(longest ?? 0, Number(max)) : longest;
      }
    } catch { /* it may not be used here */ }
    rmSync(folder, { recursive: true, force: true });
    return longest;
  };
}

async function watched(rate, record) {
  const server = await startFreshet();
  const state = { load: undefined };
  const threads = new Set();
  const stopRecording = record ? startRecording() : async () => undefined;
  const before = schedule(server.pid, threads);
  let timer;
  const report = await bench(server, ['--subscribers', String(LISTENERS), '--rate', String(rate), '--duration', `${seconds}s`, '--warmup', '1s'], {
    started: (pid) => { timer = setInterval(() => { state.load = schedule(pid, threads) ?? state.load; }, SAMPLE_MS); },
  });
  clearInterval(timer);
  const after = schedule(server.pid);
  const longest = await stopRecording(threads);
  await server.stop();
  const used = after && Object.fromEntries(Object.keys(after).map((key) => [key, after[key] - before[key]]));
  return { report, server: used, load: state.load, longest };
}

const about = machine();
const probe = await benchOnce(startFreshet, ['--subscribers', String(LISTENERS), '--rate', '50', '--duration', short ? '2s' : '10s', '--warmup', '1s']);
const round = (probe.cpu_us_per_delivery * LISTENERS) / 1000;
const rate = Math.max(1, Math.round(500 / round));
const plain = await watched(rate, false);
const recorded = find('perf') ? await watched(rate, true) : undefined;
const longest = recorded?.longest;

const ms = (us) => `${number(us / 1000, 1)} ms`;
const told = (used) => (used ? `${number(used.ran, 0)} ms on the processor, ${number(used.waited, 0)} ms waiting for it, put off it ${number(used.forced, 0)} times` : 'not known here');
const { latency_us: latency } = plain.report;
console.log(`## The tail\n\n${about}; ${seconds} s\n`);
console.log(markdown(['what', 'measured'], [
  ['one round of sends, at the cost of a delivery', `${number(round, 1)} ms`],
  ['half load', `${number(rate, 0)} events a second to ${number(LISTENERS, 0)} listeners`],
  ['latency p50, p99, p99.9, max', [latency.p50, latency.p99, latency.p999, latency.max].map(ms).join(', ')],
  ['latest that the load itself sent an event', ms(plain.report.sent_late_us.max)],
  ['server', told(plain.server)],
  ['load', told(plain.load)],
  ...(recorded ? [['longest single wait for a processor, of either (perf sched, a second run)', longest === undefined ? 'perf may not be used here' : `${number(longest, 1)} ms, where the latency was at most ${ms(recorded.report.latency_us.max)}`]] : []),
]));
console.log(plain.report.flawless ? '' : '\nNot flawless: see freshet bench.');
writeFileSync(path.join(build, 'tail.json'), JSON.stringify({ about, seconds, round_ms: round, rate, latency_us: latency, server: plain.server, load: plain.load, longest_wait_ms: longest }, null, 1));
