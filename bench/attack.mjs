#!/usr/bin/env node
// What honest listeners notice of an attack: the p99 of the latency of their events, without and with slow heads, slow
// bodies, readers that do not read and a flood of connections, in turns on the same machine, and the ratio of the two.
// The server and the load generator have a processor each. The attackers share that of the load generator, which goes
// before them (nice): what is measured is what the server makes of them, and not what they take from who measures.
//
// usage: bench/attack.mjs [--short] [--attackers N] [--listeners N]      BENCH_BUILD=build-bench SERVER_CPU=0 LOAD_CPU=1

import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Attack } from '../tests/integration/harness/attackers.mjs';
import { bench, loadCpu, machine, markdown, median, number, startFreshet } from './lab.mjs';

const argument = (name, otherwise) => (process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : otherwise);
const short = process.argv.includes('--short');
const attackers = argument('--attackers', short ? 2000 : 5000);
const listeners = argument('--listeners', short ? 200 : 1000);
const turns = short ? 1 : 3;
const load = ['--subscribers', String(listeners), '--rate', '20', '--warmup', '2s', '--duration', short ? '5s' : '20s'];

// The attackers are a process of their own: this script with the port as its argument.
const attacking = process.argv.indexOf('--attack');
if (attacking > 0) {
  const attack = new Attack({ port: Number(process.argv[attacking + 1]) }, attackers, { path: '/events/bench/0' });
  process.on('exit', () => console.log(JSON.stringify({ ...attack.counts, open: attack.open })));
} else {
  await main();
}

function startAttack(port) {
  const self = fileURLToPath(import.meta.url);
  const args = ['-n', '19', 'taskset', '-c', loadCpu, process.execPath, self, '--attack', String(port), '--attackers', String(attackers)];
  const child = spawn('nice', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (text) => { said += text; });
  process.on('exit', () => child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.on('close', resolve));
  return async () => {
    child.kill('SIGTERM');
    await ended;
    return JSON.parse(said || '{}');
  };
}

async function run(attacked) {
  const server = await startFreshet({ args: ['--header-timeout', '2s', '--body-timeout', '2s'] });
  let stop;
  try {
    // Once the listeners are there, as `freshet bench` begins to publish.
    const report = await bench(server, load, { started: () => { stop = attacked && startAttack(server.port); } });
    return { report, counts: stop && (await stop()) };
  } finally {
    await server.stop();
  }
}

async function main() {
  execFileSync('taskset', ['--version']); // says by itself that it is missing
  const about = machine();
  const quiet = [];
  const noisy = [];
  const remarks = [];
  for (let turn = 0; turn < turns; turn++) {
    for (const [attacked, into] of [[false, quiet], [true, noisy]]) {
      const { report, counts } = await run(attacked);
      into.push(report.latency_us.p99 / 1000);
      if (!report.flawless) {
        remarks.push(`turn ${turn + 1} ${attacked ? 'with' : 'without'} attack: not every event came, once and in order`);
      }
      console.error(`${attacked ? 'with' : 'without'} attack: p99 ${number(into.at(-1))} ms ${counts ? JSON.stringify(counts) : ''}`);
    }
  }
  const ratio = median(noisy) / median(quiet);
  console.log(`${about}\n${listeners} listeners, ${attackers} attackers, ${turns} turns\n`);
  console.log(markdown(['', 'p99, ms', 'of the turns'], [
    ['without attack', number(median(quiet)), quiet.map((ms) => number(ms)).join(', ')],
    ['with attack', number(median(noisy)), noisy.map((ms) => number(ms)).join(', ')],
    ['ratio', number(ratio, 2), ''],
  ]));
  console.log(remarks.length ? `\n${remarks.join('\n')}` : '\nEvery event came, once and in order.');
}
