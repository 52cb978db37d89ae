#!/usr/bin/env node
// The same loads over each transport, in turns, a fresh server for every run: what a delivered event costs the server
// and takes on the wire, how late it is, and what a listener that waits takes of memory. Ratios are those of single
// turns, because machines have moods. What this build does not have is left out, by name.
//
// usage: bench/transports.mjs [--short] [--only LOAD]      BENCH_BUILD=build-bench SERVER_CPU=0 LOAD_CPU=1

import { benchOnce, floor, machine, markdown, median, number, startFreshet } from './lab.mjs';

const short = process.argv.includes('--short');
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
const seconds = short ? 2 : 10;
const turns = short ? 1 : 5;
const time = ['--warmup', short ? '500ms' : '1s', '--duration', `${seconds}s`];

const ways = {
  'event stream': ['--transport', 'sse'],
  'event stream, gzip': ['--transport', 'sse', '--gzip'],
  NDJSON: ['--transport', 'ndjson'],
  'WebSocket, JSON': ['--transport', 'ws'],
  'WebSocket, freshet.stream': ['--transport', 'ws-stream'],
  'long poll': ['--transport', 'poll'],
  'long poll, gzip': ['--transport', 'poll', '--gzip'],
};

// Nothing may be dropped that a listener could still ask for: losing is not faster.
const start = () => startFreshet({ args: ['--history-count', '1000000', '--history-bytes', '512m'] });
const remarks = [];

// One listener and a moment: does it get its stream at all?
async function has(name) {
  try {
    const report = await benchOnce(start, [...ways[name], '--subscribers', '1', '--warmup', '0', '--duration', '100ms', '--patience', '500ms']);
    return report.listening === 1;
  } catch {
    return false;
  }
}

async function run(name, args) {
  const report = await benchOnce(start, [...ways[name], ...args]);
  if (!report.flawless) {
    remarks.push(`${name} (${args.join(' ')}): ${report.listening} listening, ${report.missing} missing, ${report.late} late, ` +
      `${report.duplicates} twice, ${report.refused_events} refused, ${report.closed_connections} closed`);
  }
  if (report.generator_was_bottleneck) {
    remarks.push(`${name} (${args.join(' ')}): the generator was the bottleneck`);
  }
  return report;
}

// Each way once in every turn: a list of reports for each, and what `beside` measured in that turn.
async function inTurns(names, args, beside = () => undefined) {
  const reports = new Map(names.map((name) => [name, []]));
  const besides = [];
  for (let turn = 0; turn < turns; turn++) {
    besides.push(beside());
    for (const name of names) {
      reports.get(name).push(await run(name, args));
    }
  }
  return { reports, besides };
}

const typical = (reports, of) => median(reports.map(of));
const times = (list, of, other) => `${number(median(list.map((report, turn) => of(report) / other(turn))), 2)} x`;
const cpu = (report) => report.cpu_us_per_delivery;

// A light load, so that no answer carries more than one event but by chance.
async function paced(names) {
  const [listeners, rate, size] = [1000, 25, 250];
  const args = ['--subscribers', String(listeners), '--rate', String(rate), '--size', String(size), '--json-data', ...time];
  const { reports, besides } = await inTurns(names, args, () => floor({ sockets: listeners, rate, size: size + 28, seconds }).cpu_us_per_send);
  const streams = reports.get('event stream');
  for (const name of names) {
    if (reports.get(name).some((report) => report.latency_us.p90 / 1e6 > 1 / rate)) {
      remarks.push(`${name}: LATE: some rounds did not end before the next, and were gathered, which flatters it`);
    }
  }
  const rows = names.map((name) => {
    const list = reports.get(name);
    return [name,
      number(typical(list, (report) => report.latency_us.p50 / 1000), 2), number(typical(list, (report) => report.latency_us.p99 / 1000), 2),
      number(typical(list, (report) => report.received_per_delivery), 0),
      number(typical(list, (report) => report.sent_per_delivery), 0),
      number(typical(list, (report) => report.requests / report.deliveries), 2),
      number(typical(list, cpu), 2), times(list, cpu, (turn) => cpu(streams[turn])), times(list, cpu, (turn) => besides[turn])];
  });
  return [`${number(listeners, 0)} listeners, ${rate} events/s of ${size} bytes (the floor: ${number(median(besides), 2)} us a send)`,
    ['transport', 'p50, ms', 'p99, ms', 'bytes received', 'bytes sent', 'requests', 'CPU, us', 'against the event stream', 'against the floor'], rows];
}

// As fast as acknowledged: what the ways cost when many events ride on one send, message or answer.
async function saturated(names) {
  const { reports } = await inTurns(names, ['--subscribers', '200', '--rate', '0', '--publishers', '8', '--size', '250', '--json-data', ...time]);
  const rate = (report) => report.deliveries_per_s;
  const streams = reports.get('event stream');
  const rows = names.map((name) => {
    const list = reports.get(name);
    return [name, number(typical(list, rate), 0), times(list, rate, (turn) => rate(streams[turn])), number(typical(list, cpu), 3),
      times(list, cpu, (turn) => cpu(streams[turn])), number(typical(list, (report) => report.received_per_delivery), 0)];
  });
  return ['200 listeners, 8 publishers as fast as acknowledged, events of 250 bytes',
    ['transport', 'deliveries a second', 'against the event stream', 'CPU, us', 'against the event stream', 'bytes received'], rows];
}

// Who waits and gets nothing.
async function idle(names) {
  const count = short ? 2000 : 10000;
  const { reports } = await inTurns(names, ['--subscribers', String(count), '--rate', '1', '--warmup', '0', '--duration', '100ms']);
  const rows = names.map((name) => [name, number(typical(reports.get(name), (report) => report.bytes_per_listener), 0),
    number(typical(reports.get(name), (report) => report.cpu_us_per_connect), 1)]);
  return [`${number(count, 0)} listeners that wait`, ['transport', 'bytes of memory each', 'CPU to let one in, us'], rows];
}

const loads = { paced, saturated, idle };
const about = machine();
const names = [];
for (const name of Object.keys(ways)) {
  if (await has(name)) {
    names.push(name);
  } else {
    remarks.push(`${name}: not in this build`);
  }
}
console.log(`## Transports, side by side\n\n${about}`);
for (const [name, measure] of Object.entries(loads)) {
  if (name.startsWith(only)) {
    const [what, head, rows] = await measure(names);
    console.log(`\n${what}:\n\n${markdown(head, rows)}`);
  }
}
if (remarks.length) {
  console.log(`\n${[...new Set(remarks)].map((remark) => `- ${remark}`).join('\n')}`);
}
