#!/usr/bin/env node
// How the costs grow: with listeners, topics, sizes, selections, patterns and load. Where there is a floor (the bare
// loop of send(), bench/floor) it is measured in turns with the server, at the same rate and the same number of sends a
// round. Writes build-bench/curves.json, from which bench/draw.mjs makes the pictures, and prints a table.
//
// usage: bench/curves.mjs [--short] [--only CURVE]     TURNS=3
//   One curve alone replaces that one in the file. The long form takes 20 minutes, with TURNS=1 seven.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { benchOnce, build, floor, lines, machine, markdown, median, nchanPrograms, number, startFreshet, startNchan } from './lab.mjs';

const short = process.argv.includes('--short');
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
const seconds = short ? 1 : 3;
const turns = short ? 1 : Number(process.env.TURNS ?? 3);
const time = ['--duration', `${seconds}s`, '--warmup', short ? '300ms' : '500ms'];
const file = path.join(build, 'curves.json');
const FRAMING = 29; // bytes of an event beside its data: id, field names, line ends

const args = (options) => Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
const pick = (brief, full) => (short ? brief : full);
const doubts = new Set();

// Runs `once` in turns; its series are medians.
async function inTurns(once) {
  const all = [];
  for (let turn = 0; turn < turns; turn++) {
    all.push(await once());
  }
  return Object.fromEntries(Object.keys(all[0]).map((name) => [name, median(all.map((each) => each[name]))]));
}

async function load(name, x, options, start = startFreshet) {
  const report = await benchOnce(start, [...args(options), ...time]);
  if (!report.flawless) {
    doubts.add(`${name} at ${number(x, 0)}: ${report.missing} missing, ${report.late} late`);
  }
  if (options.rate < 1000 && report.latency_us.p90 * options.rate > 1e6 && name !== 'latency') {
    doubts.add(`${name} at ${number(x, 0)}: rounds did not end before the next was due and were gathered, which flatters`);
  }
  if (report.generator_was_bottleneck) {
    doubts.add(`${name} at ${number(x, 0)}: the generator was the bottleneck`);
  }
  return report;
}

// For each x: { series name: y }, as series of points.
async function trace(name, xs, measure) {
  const series = {};
  for (const x of xs) {
    const point = await inTurns(() => measure(x));
    console.error(`${name} ${x}: ${Object.entries(point).map(([what, y]) => `${what} ${number(y, 2)}`).join(', ')}`);
    for (const [what, y] of Object.entries(point)) {
      (series[what] ??= []).push([x, y]);
    }
  }
  return Object.entries(series).map(([what, points]) => ({ name: what, points }));
}

const cost = 'server CPU per delivery, µs';

const curves = {
  listeners: {
    title: 'Cost per delivery against listeners',
    about: 'one topic, events of 100 bytes, 50 a second; above 1,000 listeners so many that 50,000 deliveries a second remain',
    x: 'listeners', y: cost,
    series: () => trace('listeners', pick([1, 10, 100, 1000, 10000], [1, 10, 100, 1000, 3000, 10000, 18000]), async (n) => {
      const rate = Math.max(1, Math.min(50, Math.floor(50000 / n)));
      const under = floor({ sockets: n, rate, seconds });
      return { freshet: (await load('listeners', n, { subscribers: n, rate })).cpu_us_per_delivery, 'bare send()': under.cpu_us_per_send };
    }),
  },
  topics: {
    title: 'Cost per event against topics, over sockets',
    about: 'one listener on each topic, 2,000 events a second from 4 publishers: publish and delivery together',
    x: 'topics', y: 'server CPU per event, µs',
    series: () => trace('topics', pick([1, 100, 10000], [1, 10, 100, 1000, 10000, 18000]), async (n) => {
      const under = floor({ sockets: n, rate: 2000, burst: 1, seconds });
      const report = await load('topics', n, { subscribers: n, topics: n, rate: 2000, publishers: 4 });
      return { freshet: report.cpu_us_per_publish, 'bare send()': under.cpu_us_per_send };
    }),
  },
  size: {
    title: 'Cost per delivery against the size of events',
    about: '100 listeners of one topic, 50 events a second; 16 bytes are the smallest that the load can check',
    x: 'bytes of data', y: cost,
    series: () => trace('size', pick([16, 1024, 65536], [16, 100, 1024, 4096, 16384, 65536]), async (size) => {
      const under = floor({ sockets: 100, rate: 50, size: size + FRAMING, seconds });
      return { freshet: (await load('size', size, { subscribers: 100, rate: 50, size })).cpu_us_per_delivery, 'bare send()': under.cpu_us_per_send };
    }),
  },
  selection: {
    title: 'Cost per delivery against topics per connection',
    about: '1,000 listeners, 1,000 topics, 5,000 deliveries a second: the more topics each has, the more listeners an event reaches',
    x: 'topics of each connection', y: cost,
    series: () => trace('selection', pick([1, 10, 100], [1, 3, 10, 30, 100]), async (each) => {
      const rate = Math.round(5000 / each);
      const under = floor({ sockets: 1000, rate, burst: each, seconds });
      const report = await load('selection', each, { subscribers: 1000, topics: 1000, 'topics-per-connection': each, rate, publishers: 4 });
      return { freshet: report.cpu_us_per_delivery, 'bare send()': under.cpu_us_per_send };
    }),
  },
  patterns: {
    title: 'Cost per delivery against patterns',
    about: '1,000 listeners spread over so many patterns (or as many topics), 5,000 deliveries a second',
    x: 'patterns', y: cost,
    series: () => trace('patterns', pick([1, 30, 1000], [1, 10, 100, 1000]), async (n) => {
      const wish = { subscribers: 1000, topics: n, rate: 5 * n, publishers: 4 };
      const under = floor({ sockets: 1000, rate: 5 * n, burst: Math.round(1000 / n), seconds });
      const topics = await load('patterns', n, wish);
      const patterns = await load('patterns', n, wish, () => startFreshet({ template: '{topic}/*' }));
      return { patterns: patterns.cpu_us_per_delivery, 'topics instead': topics.cpu_us_per_delivery, 'bare send()': under.cpu_us_per_send };
    }),
  },
  latency: {
    title: 'Latency against load',
    about: '1,000 listeners of one topic, events of 100 bytes from 8 publishers; latency counts from when an event was due',
    x: 'deliveries a second', y: 'latency, ms',
    series: () => trace('latency', pick([10, 100, 1000], [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]).map((rate) => rate * 1000), async (each) => {
      const report = await load('latency', each, { subscribers: 1000, rate: each / 1000, publishers: 8 });
      const { p50, p99, p999 } = report.latency_us;
      return { 'p99.9': p999 / 1000, p99: p99 / 1000, p50: p50 / 1000 };
    }),
  },
  memory: {
    title: 'Memory against listeners',
    about: 'proportional set size that listeners add, all of one topic, idle; what the kernel holds is not in it',
    x: 'listeners', y: 'memory, KB',
    series: () => trace('memory', pick([1000, 10000], [100, 300, 1000, 3000, 10000, 18000]), async (n) => {
      const wish = ['--subscribers', String(n), '--rate', '1', '--warmup', '0', '--duration', '100ms'];
      const kb = async (start) => (await benchOnce(start, wish)).bytes_per_listener * n / 1024;
      return { freshet: await kb(startFreshet), ...(nchanPrograms() ? { 'nginx with Nchan': await kb(startNchan) } : {}) };
    }),
  },
};

// What the hub alone costs, with connections that only count: the parts that sockets would hide.
const hubCurves = {
  'hub-topics': ['Cost of the hub against topics', 'one listener on each; no sockets; topics in an order that caches cannot guess', 'topics', 'hub-publish', 'topics'],
  'hub-selection': ['Cost of the hub against topics per connection', '1,000 listeners with topics of their own; no sockets', 'topics of each connection', 'hub-selection', 'topics_each'],
  'hub-patterns': ['Cost of the hub against patterns', 'one listener on each pattern, of which one matches; no sockets', 'patterns', 'hub-pattern', 'patterns'],
};

function hub(taken, raw) {
  const found = lines('bench-hub', short ? ['short'] : []).slice(1);
  raw.push(...found.map((line) => Object.entries(line).map((pair) => pair.join('=')).join(' ')));
  for (const [name, [title, about, x, bench, field]] of Object.entries(hubCurves)) {
    const points = found.filter((line) => line.bench === bench).map((line) => [line[field], line.ns_per_publish]);
    taken[name] = { title, about, x, y: 'CPU per event, ns', series: [{ name: 'freshet', points }] };
  }
}

function table({ title, x, y, series }) {
  const xs = series[0].points.map(([at]) => at);
  const over = series.find(({ name }) => name === 'bare send()');
  const rows = xs.map((at, i) => {
    const values = series.map(({ points }) => points[i][1]);
    const ratio = over ? [number(values[0] / over.points[i][1], 2)] : [];
    return [number(at, 0), ...values.map((value) => number(value, 2)), ...ratio];
  });
  return `### ${title}\n\n${markdown([`${x} \\ ${y}`, ...series.map(({ name }) => name), ...(over ? ['ratio'] : [])], rows)}\n`;
}

const before = only && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).curves : {};
const taken = { ...before };
const raw = [];
const about = machine();
for (const [name, { series, ...curve }] of Object.entries(curves)) {
  if (!only || name === only) {
    taken[name] = { ...curve, series: await series() };
  }
}
if (!only || only === 'hub') {
  hub(taken, raw);
}
writeFileSync(file, JSON.stringify({ about, taken: new Date().toISOString(), short, curves: taken }, null, 1));
console.log(`## How costs grow\n\n${about}, ${short ? `short form, ${seconds} s a point` : `${seconds} s a point, ${turns === 1 ? 'one turn' : `median of ${turns} turns`}`}\n`);
for (const name of Object.keys(taken).filter((each) => !only || each.startsWith(only))) {
  console.log(table(taken[name]));
}
if (raw.length) {
  console.log(`### The hub without sockets, line by line\n\n\`\`\`\n${raw.join('\n')}\n\`\`\`\n`);
}
doubts.forEach((doubt) => console.log(`- ${doubt}`));
