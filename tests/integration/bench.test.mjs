// freshet bench against freshet: a second of load, everything delivered, and a report that scripts can read.

import assert from 'node:assert/strict';
import http from 'node:http';
import { run, serve, test } from './harness/index.mjs';

const quick = ['--duration', '1s', '--warmup', '100ms', '--json'];

async function bench(t, server, args, expected = 0) {
  const { status, stdout, stderr } = await run(t, ['bench', '--url', server.url, ...quick, ...args]);
  assert.equal(status, expected, stderr + stdout);
  return JSON.parse(stdout);
}

function assertFlawless(report) {
  assert.equal(report.flawless, true);
  assert.equal(report.all_delivered, report.expected);
  for (const fault of ['missing', 'late', 'duplicates', 'damaged', 'foreign', 'refused_events', 'unsent_events']) {
    assert.equal(report[fault], 0, fault);
  }
}

test('bench keeps to its timetable and finds every event in order', async (t) => {
  const server = await serve(t);
  const report = await bench(t, server, ['--subscribers', '50', '--rate', '100', '--pid', String(server.pid)]);
  assertFlawless(report);
  assert.equal(report.listening, 50);
  assert.equal(report.events, 100);
  assert.equal(report.deliveries, 5000);
  assert.equal(report.latency_us.count, 5000);
  assert.ok(report.latency_us.p50 <= report.latency_us.p99 && report.latency_us.p99 <= report.latency_us.max);
  assert.ok(report.cpu_us_per_delivery > 0);
});

test('bench holds a server until all stand at its door', async (t) => {
  const server = await serve(t);
  const report = await bench(t, server, ['--subscribers', '200', '--connecting', '3', '--herd', '--rate', '10', '--pid', String(server.pid)]);
  assertFlawless(report);
  assert.equal(report.listening, 200);
  assert.ok(report.connects_per_s > 0);
});

test('bench --herd wants to know whom to hold', async (t) => {
  const { status, stderr } = await run(t, ['bench', '--herd']);
  assert.equal(status, 2);
  assert.match(stderr, /--pid/);
});

test('bench with many topics, publishers, threads and processes', async (t) => {
  const server = await serve(t);
  const report = await bench(t, server, [
    '--subscribers', '60', '--topics', '20', '--topics-per-connection', '3', '--publishers', '7', '--rate', '200',
    '--threads', '4', '--processes', '2', '--size', '1k',
  ]);
  assertFlawless(report);
  assert.equal(report.events, 200);
  assert.equal(report.deliveries, 200 * 9);
});

test('bench with more publishers than topics, as fast as acknowledged, pipelined', async (t) => {
  const server = await serve(t, ['--history-count', '100000']);
  const report = await bench(t, server, [
    '--subscribers', '20', '--topics', '2', '--publishers', '5', '--pipeline', '8', '--rate', '0', '--duration', '300ms',
  ]);
  assertFlawless(report);
  assert.ok(report.events > 10);
});

test('bench by pattern: everyone gets everything', async (t) => {
  const server = await serve(t);
  const report = await bench(t, server, ['--subscribers', '10', '--topics', '5', '--pattern', 'bench/*', '--rate', '50']);
  assertFlawless(report);
  assert.equal(report.deliveries, 500);
});

test('bench makes all listeners leave, miss events and catch up', async (t) => {
  const server = await serve(t);
  const report = await bench(t, server, ['--subscribers', '100', '--topics', '10', '--catch-up', '20']);
  assertFlawless(report);
  assert.equal(report.caught_up, 100);
  assert.equal(report.all_delivered, 100 * 21);
});

test('bench says what was lost when the server forgets', async (t) => {
  const server = await serve(t, ['--history-count', '5', '--window-bytes', '4k']);
  const report = await bench(t, server, ['--subscribers', '10', '--catch-up', '20', '--patience', '200ms'], 1);
  assert.equal(report.flawless, false);
  assert.ok(report.missing >= 10 * 15, JSON.stringify(report));
});

// A server that misbehaves: every listener gets each event as `garble` turns it.
function crooked(t, garble) {
  const listeners = [];
  const server = http.createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(':\n');
      listeners.push(response);
      return;
    }
    let body = '';
    request.on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      for (const text of garble(body)) {
        listeners.forEach((listener) => listener.write(text));
      }
      response.end('ok');
    });
  });
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${server.address().port}` }));
  });
}

const event = (data) => `data: ${data}\n\n`;

test('bench works with any event stream, chunked as well', async (t) => {
  const server = await crooked(t, (data) => [event(data)]);
  assertFlawless(await bench(t, server, ['--subscribers', '3', '--rate', '20']));
});

test('bench sees gaps, duplicates, wrong order and damage', async (t) => {
  let count = 0;
  let held;
  const faults = {
    missing: (data) => (++count % 5 === 0 ? [] : [event(data)]),
    duplicates: (data) => (++count % 5 === 0 ? [event(data), event(data)] : [event(data)]),
    late: (data) => {
      const before = held;
      held = ++count % 4 === 0 ? event(data) : undefined;
      return held ? [] : before ? [event(data), before] : [event(data)];
    },
    damaged: (data) => [event(++count % 5 === 0 ? `${data}!` : data)],
    foreign: (data) => [event(data), ...(++count % 5 === 0 ? [event('hello')] : [])],
  };
  for (const [fault, garble] of Object.entries(faults)) {
    count = 0;
    held = undefined;
    const server = await crooked(t, garble);
    const report = await bench(t, server, ['--subscribers', '2', '--rate', '42', '--patience', '200ms'], 1);
    assert.ok(report[fault] >= 8 * 2, `${fault}: ${JSON.stringify(report)}`);
    assert.equal(report.flawless, false);
  }
});

test('bench refuses what cannot work, in a sentence', async (t) => {
  const wrong = [
    [['--subscribers', '5000'], /descriptors.*--processes/, { files: 1000 }],
    [['--url', 'https://127.0.0.1:1'], /http:\/\//],
    [['--topics-per-connection', '2'], /--topics/],
    [['--size', '10'], /--size/],
    [['--pid', 'me'], /process id/],
  ];
  for (const [args, sentence, options] of wrong) {
    const { status, stderr } = await run(t, ['bench', ...args], options);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, sentence);
  }
});

test('bench fails when nobody answers', async (t) => {
  const server = await crooked(t, () => []);
  const { status, stderr } = await run(t, ['bench', '--url', `${server.url.replace(/\d+$/, '1')}`, '--subscribers', '2']);
  assert.equal(status, 1);
  assert.match(stderr, /0 of 2 listeners/);
});
