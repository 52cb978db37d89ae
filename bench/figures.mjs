#!/usr/bin/env node
// The figures that freshet is held to, each beside its target: one worker on one processor, the load on another.
// What is told as a ratio is measured in turns with what it is compared to, because machines have moods.
//
// usage: bench/figures.mjs [--short] [--only WORD]      BENCH_BUILD=build-bench SERVER_CPU=0 LOAD_CPU=1

import { benchOnce, cpus, floor, lines, machine, markdown, median, nchanPrograms, number, startFreshet, startNchan } from './lab.mjs';

const short = process.argv.includes('--short');
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
const seconds = short ? 2 : 10;
const turns = short ? 3 : 5;
const time = ['--duration', `${seconds}s`, '--warmup', '1s'];
const rows = [];

function row(what, target, result, reached, notes = []) {
  rows.push([what, target, result, reached ? 'yes' : '**no**', notes.filter(Boolean).join('; ')]);
  console.error(`${what}: ${result} (target ${target}) ${notes.join('; ')}`);
}

const doubts = (report) => [
  report.flawless ? '' : `NOT FLAWLESS: ${report.missing} missing, ${report.late} late, ${report.duplicates} twice`,
  report.generator_was_bottleneck ? 'the generator was the bottleneck' : '',
];

async function perDelivery(listeners, rate) {
  const ratios = [];
  const costs = [];
  const floors = [];
  let last;
  for (let turn = 0; turn < turns; turn++) {
    const under = floor({ sockets: listeners, rate, seconds }).cpu_us_per_send;
    last = await benchOnce(startFreshet, ['--subscribers', String(listeners), '--rate', String(rate), ...time]);
    floors.push(under);
    costs.push(last.cpu_us_per_delivery);
    ratios.push(last.cpu_us_per_delivery / under);
  }
  const ratio = median(ratios);
  const gathers = last.latency_us.p90 / 1e6 > 1 / rate;
  row(`CPU per delivery, ${number(listeners, 0)} listeners, ${rate} events/s`, '1.25 x the floor', `${number(ratio, 2)} x`, ratio <= 1.25 && !gathers, [
    `${number(median(costs), 2)} us over a floor of ${number(median(floors), 2)} us`,
    `p50 ${number(last.latency_us.p50 / 1000, 1)} ms, p99 ${number(last.latency_us.p99 / 1000, 1)} ms`,
    gathers ? 'LATE: some rounds did not end before the next, and were gathered, which flatters the ratio' : '', ...doubts(last),
  ]);
}

async function saturated() {
  const reports = [];
  for (const publishers of ['1', '32', '256']) {
    reports.push([publishers, await benchOnce(startFreshet, ['--rate', '0', '--publishers', publishers, ...time])]);
  }
  const [publishers, best] = reports.reduce((a, b) => (b[1].deliveries_per_s > a[1].deliveries_per_s ? b : a));
  row('deliveries a second, 1,000 listeners, as fast as acknowledged', '2,000,000', number(best.deliveries_per_s, 0),
    best.deliveries_per_s >= 2e6 && reports.every(([, report]) => report.flawless), [
      `${publishers} publishers`, ...reports.map(([count, report]) => `${count}: ${number(report.deliveries_per_s, 0)}/s`), ...doubts(best)]);
}

async function manyTopics() {
  const load = ['--subscribers', '10000', '--topics', '10000', '--rate', '2000', '--publishers', '4', ...time];
  const costs = [];
  const floors = [];
  let last;
  for (let turn = 0; turn < turns; turn++) {
    floors.push(floor({ sockets: 10000, rate: 2000, burst: 1, seconds }).cpu_us_per_send);
    last = await benchOnce(startFreshet, load);
    costs.push(last.cpu_us_per_publish);
  }
  const cost = median(costs);
  const ratio = cost / median(floors);
  row('CPU per publish plus delivery, 10,000 topics, 2,000 events/s', '30 us or 2 x the floor', `${number(cost)} us`, cost <= 30 || ratio <= 2,
    [`floor of one send ${number(median(floors))} us, ${number(ratio, 2)} x`, ...doubts(last)]);
}

// Making a connection costs the generator more than taking it in costs the server, so on two processors an open rush
// measures the generator. A herd at the door measures the server: all have asked before it is let go.
async function newListeners() {
  const quiet = ['--rate', '1', '--warmup', '0', '--duration', '100ms'];
  const rush = ['--subscribers', '10000', ...quiet];
  const herd = ['--subscribers', '4000', '--herd', ...quiet];
  const ours = { rush: [], herd: [] };
  const theirs = { rush: [], herd: [] };
  for (let turn = 0; turn < turns; turn++) {
    for (const [into, start] of [[ours, startFreshet], ...(nchanPrograms() ? [[theirs, startNchan]] : [])]) {
      into.rush.push(await benchOnce(start, rush));
      into.herd.push(await benchOnce(start, herd));
    }
  }
  const typical = (reports, key) => (reports.length ? median(reports.map((report) => report[key])) : NaN);
  const bytes = typical(ours.rush, 'bytes_per_listener');
  const rate = typical(ours.herd, 'connects_per_s');
  const ratio = rate / typical(theirs.herd, 'connects_per_s');
  const last = ours.rush.at(-1);
  row('memory per idle listener, 10,000 of them', '512 bytes', `${number(bytes, 0)} bytes`, bytes <= 512, ['proportional set size', ...doubts(last)]);
  row('new listeners a second, 4,000 at the door', '40,000 or 1.5 x Nchan', number(rate, 0), rate >= 40000 || ratio >= 1.5, [
    theirs.herd.length ? `Nchan ${number(typical(theirs.herd, 'connects_per_s'), 0)}, ${number(ratio, 2)} x` : 'Nchan is not installed',
    `${number(typical(ours.herd, 'cpu_us_per_connect'), 1)} us of the server each (Nchan ${number(typical(theirs.herd, 'cpu_us_per_connect'), 1)})`,
    `in an open rush of 10,000: ${number(typical(ours.rush, 'connects_per_s'), 0)}/s (Nchan ${number(typical(theirs.rush, 'connects_per_s'), 0)})` +
      `${typical(ours.rush, 'generator_connect_busiest') > 0.8 ? ', as fast as the generator could' : ''}`,
    ...doubts(last).slice(0, 1)]);
}

async function storm() {
  const reports = [];
  for (let turn = 0; turn < turns; turn++) {
    reports.push(await benchOnce(startFreshet, ['--subscribers', '10000', '--catch-up', '100']));
  }
  const took = median(reports.map((report) => report.catch_up_s));
  const flawless = reports.every((report) => report.flawless && report.caught_up === 10000);
  row('10,000 listeners come back, 100 events each to catch up', '2 s', `${number(took, 2)} s`, took <= 2 && flawless,
    [`last stream began after ${number(reports.at(-1).reconnect_s, 2)} s`, ...doubts(reports.at(-1))]);
}

function parser() {
  const [line] = lines('bench-parser');
  row('parser, events of 200 bytes', '1 GB/s', `${number(line.parser_gb_per_s, 2)} GB/s`, line.parser_gb_per_s >= 1,
    [`memchr over the same bytes ${number(line.memchr_gb_per_s, 1)} GB/s`]);
}

// Only what more than two processors can show is the throughput; what two show is whether workers cost each other.
async function workers() {
  const load = ['--subscribers', '2000', '--rate', '0', '--publishers', '32', ...time];
  if (cpus >= 4) {
    const half = cpus >> 1;
    const one = await benchOnce(() => startFreshet({ cpu: '0' }), [...load, '--threads', String(half)], { cpu: `${half}-${cpus - 1}` });
    const two = await benchOnce(() => startFreshet({ workers: 2, cpu: '0-1' }), [...load, '--threads', String(half)], { cpu: `${half}-${cpus - 1}` });
    const ratio = two.deliveries_per_s / one.deliveries_per_s;
    row('two workers against one', '1.7 x', `${number(ratio, 2)} x`, ratio >= 1.7, doubts(two));
    return;
  }
  const paced = ['--subscribers', '2000', '--rate', '10', '--publishers', '4', ...time];
  const one = await benchOnce(() => startFreshet({ workers: 1 }), paced);
  const two = await benchOnce(() => startFreshet({ workers: 2 }), paced);
  const ratio = two.cpu_us_per_delivery / one.cpu_us_per_delivery;
  row('two workers against one', '1.7 x', 'not measurable here', false, [
    `needs 4 processors; on one processor two workers cost ${number(ratio, 2)} x per delivery`, ...doubts(two)]);
}

const figures = {
  delivery: () => perDelivery(1000, 50),
  'many-listeners': () => perDelivery(10000, 5),
  saturated,
  topics: manyTopics,
  listeners: newListeners,
  storm,
  parser,
  workers,
};

const about = machine();
for (const [name, measure] of Object.entries(figures)) {
  if (name.startsWith(only)) {
    await measure();
  }
}
console.log(`## Figures\n\n${about}\n`);
console.log(markdown(['what', 'at least', 'measured', 'reached', 'notes'], rows));
