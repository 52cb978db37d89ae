#!/usr/bin/env node
// What honest listeners notice of an attack: the p99 of the latency of their events, without and with slow heads, slow
// bodies, readers that do not read and a flood of connections, each kind for itself and all of them at once, and the same
// with --max-connections-per-address, because all attackers come from one. All cases are measured in turns on the same
// machine, so that what else goes on there meets all of them alike; each ratio is to the quiet case of the same turn, and
// their median counts.
// The server and the load generator have a processor each. The attackers share that of the load generator, which goes
// before them (nice): what is measured is what the server makes of them, and not what they take from who measures.
//
// usage: bench/attack.mjs [--short] [--attackers N] [--listeners N] [--turns N] [--only PART_OF_A_NAME]
//        BENCH_BUILD=build-bench SERVER_CPU=0 LOAD_CPU=1
// short: the same numbers of connections, two turns of 4 s each, under two minutes in all; else five turns of 20 s.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Attack, attackKinds } from '../tests/integration/harness/attackers.mjs';
import { bench, loadCpu, machine, markdown, median, number, startFreshet } from './lab.mjs';

const argument = (name, otherwise) => (process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : otherwise);
const short = process.argv.includes('--short');
const attackers = argument('--attackers', 5000);
const listeners = argument('--listeners', 1000);
const turns = argument('--turns', short ? 2 : 5);
const load = ['--subscribers', String(listeners), '--rate', '20', '--warmup', '2s', '--duration', short ? '4s' : '20s'];

function startAttack(port, kinds) {
  const self = fileURLToPath(import.meta.url);
  const args = ['-n', '19', 'taskset', '-c', loadCpu, process.execPath, self, '--attack', String(port), '--attackers', String(attackers),
    '--kinds', kinds.join()];
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

// `freshet bench` connects from addresses beyond 127.0.0.0/16, the attackers from within: the former are not limited.
const generators = [...Array(8).keys()].map((i) => `127.${1 << i}.0.0/${16 - i}`).join();
const limits = ['--max-connections-per-address', '100', '--trusted-proxies', generators];
const names = { slowHead: 'slow heads', slowBody: 'slow bodies', slowRead: 'readers that do not read', flood: 'a flood of connections' };
const attacks = [
  ...attackKinds.map((kind) => ({ name: names[kind], kinds: [kind], args: [] })),
  { name: 'a quarter of each', kinds: attackKinds, args: [] },
  { name: 'a quarter of each, 100 connections per address', kinds: attackKinds, args: limits },
];
const part = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
const cases = [{ name: 'no attack', args: [] }, ...attacks.filter(({ name }) => name.includes(part))];

async function run({ kinds, args }) {
  const server = await startFreshet({ args: ['--header-timeout', '2s', '--body-timeout', '2s', ...args] });
  let stop;
  try {
    // Once the listeners connect: those who come during an attack belong to it.
    const report = await bench(server, load, { started: () => { stop = kinds && startAttack(server.port, kinds); } });
    return { report, counts: stop && (await stop()) };
  } finally {
    await server.stop();
  }
}

function say({ name }, report, counts) {
  const cpu = `${number((100 * report.server_cpu_s) / report.measured_s, 0)} % of a processor`;
  const late = report.generator_was_bottleneck ? '; the load generator was the bottleneck' : '';
  console.error(`${name}: p99 ${number(report.latency_us.p99 / 1000)} ms, ${cpu}${late} ${counts ? JSON.stringify(counts) : ''}`);
}

async function main() {
  const about = machine();
  const figures = cases.map(() => []);
  const remarks = [];
  for (let turn = 0; turn < turns; turn++) {
    for (const [place, one] of cases.entries()) {
      const { report, counts } = await run(one);
      say(one, report, counts);
      figures[place].push(report.latency_us.p99 / 1000);
      if (!report.flawless) {
        remarks.push(`turn ${turn + 1}, ${one.name}: not every event came, once and in order`);
      }
    }
  }
  const ratios = figures.map((of) => of.map((ms, turn) => ms / figures[0][turn]));
  console.log(`${about}\n${listeners} listeners, ${attackers} attackers, ${turns} turns\n`);
  console.log(markdown(['', 'p99, ms', 'ratio', 'of the turns'], cases.map(({ name }, i) =>
    [name, number(median(figures[i])), number(median(ratios[i]), 2), ratios[i].map((ratio) => number(ratio, 2)).join(', ')])));
  console.log(remarks.length ? `\n${remarks.join('\n')}` : '\nEvery event came, once and in order.');
}

// The attackers are a process of their own: this script with the port as its argument.
const attacking = process.argv.indexOf('--attack');
if (attacking > 0) {
  const only = process.argv[process.argv.indexOf('--kinds') + 1].split(',');
  const attack = new Attack({ port: Number(process.argv[attacking + 1]) }, attackers, { path: '/events/bench/0', only });
  process.on('SIGTERM', () => process.exit());
  process.on('exit', () => console.log(JSON.stringify({ ...attack.counts, open: attack.open })));
} else {
  await main();
}
