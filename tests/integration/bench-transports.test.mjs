// freshet bench over every transport: the same checks of every delivery, whichever way it came.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { binary, metric, run, serve, test } from './harness/index.mjs';

const quick = ['--duration', '1s', '--warmup', '100ms', '--json'];

async function bench(t, server, args, expected = 0) {
  const { status, stdout, stderr } = await run(t, ['bench', '--url', server.url, ...quick, ...args]);
  assert.equal(status, expected, stderr + stdout);
  return JSON.parse(stdout);
}

function assertFlawless(report, subscribers) {
  assert.equal(report.flawless, true, JSON.stringify(report));
  assert.equal(report.listening, subscribers);
  assert.equal(report.all_delivered, report.expected);
  assert.ok(report.all_delivered > 0);
}

// The bytes of one delivery, at least: its data.
function assertTraffic(report, size) {
  assert.ok(report.received_per_delivery > size, JSON.stringify(report));
}

// What --version names is built in.
const libraries = spawnSync(binary, ['--version']).stdout.toString();
const needs = (library) => ({ skip: new RegExp(`^${library} \\d`, 'm').test(libraries) ? false : `this build has no ${library}` });

for (const transport of ['sse', 'ndjson', 'poll', 'ws', 'ws-stream']) {
  const options = transport.startsWith('ws') ? needs('wslay') : {};

  test(`bench by ${transport}`, options, async (t) => {
    const server = await serve(t);
    const report = await bench(t, server, ['--transport', transport, '--subscribers', '40', '--rate', '50', '--size', '200',
      '--pid', String(server.pid)]);
    assertFlawless(report, 40);
    assert.equal(report.deliveries, 50 * 40);
    assertTraffic(report, 200);
    assert.ok(report.cpu_us_per_delivery > 0);
  });

  test(`bench by ${transport} with many topics, publishers and processes`, options, async (t) => {
    const server = await serve(t);
    const report = await bench(t, server, ['--transport', transport, '--subscribers', '30', '--topics', '10', '--topics-per-connection', '3',
      '--publishers', '3', '--rate', '100', '--threads', '3', '--processes', '2']);
    assertFlawless(report, 30);
  });

  test(`bench by ${transport} makes all leave, miss events and catch up`, options, async (t) => {
    const server = await serve(t);
    const report = await bench(t, server, ['--transport', transport, '--subscribers', '50', '--topics', '5', '--catch-up', '20']);
    assertFlawless(report, 50);
    assert.equal(report.caught_up, 50);
  });
}

test('bench by poll asks anew after each answer', async (t) => {
  const server = await serve(t);
  const report = await bench(t, server, ['--transport', 'poll', '--subscribers', '10', '--rate', '20']);
  assertFlawless(report, 10);
  assert.ok(report.requests > 0 && report.requests <= report.all_delivered);
  assert.ok(report.sent_per_delivery > 0);
  // One to begin with for each, one that was open at the end, and those between.
  assert.ok(await metric(t, server, 'freshet_subscriptions_opened_total') >= 20);
});

test('bench looks into what is packed', needs('zlib'), async (t) => {
  const server = await serve(t);
  for (const transport of ['sse', 'ndjson', 'poll']) {
    const args = ['--transport', transport, '--subscribers', '20', '--rate', '50', '--size', '500', '--json-data'];
    const [plain, packed] = [await bench(t, server, args), await bench(t, server, [...args, '--gzip'])];
    assertFlawless(plain, 20);
    assertFlawless(packed, 20);
    assert.ok(packed.received_per_delivery < plain.received_per_delivery, transport);
  }
});

test('bench without zlib says that it cannot look into what is packed', { skip: !needs('zlib').skip && 'this build has zlib' }, async (t) => {
  const { status, stderr } = await run(t, ['bench', '--gzip']);
  assert.equal(status, 2);
  assert.match(stderr, /zlib/);
});

const frame = (text, first = 0x81) => {
  const payload = Buffer.from(text);
  const head = payload.length < 126 ? [first, payload.length] : [first, 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from(head), payload]);
};

const accept = (key) => createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

// A WebSocket server of a few lines: every listener gets each event as `shape` makes it, and a ping now and then.
function websockets(t, shape) {
  const listeners = [];
  const said = { pongs: 0, protocols: new Set() };
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      listeners.forEach((socket) => socket.write(Buffer.concat([frame('now', 0x89), ...shape(body)])));
      response.end('ok');
    });
  });
  server.on('upgrade', (request, socket) => {
    const protocol = request.headers['sec-websocket-protocol'];
    said.protocols.add(protocol);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const mask = bytes.subarray(2, 6);
      const text = [...bytes.subarray(6, 9)].map((byte, i) => String.fromCharCode(byte ^ mask[i % 4])).join('');
      said.pongs += bytes[0] === 0x8a && bytes[1] === 0x83 && text === 'now';
    });
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
      + `Sec-WebSocket-Accept: ${accept(request.headers['sec-websocket-key'])}\r\n${protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : ''}\r\n`);
    listeners.push(socket);
    t.after(() => socket.destroy());
  });
  t.after(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${server.address().port}`, said }));
  });
}

let number = 0;
const message = (data) => JSON.stringify({ id: `1-${++number}`, topic: 'bench/0', event: 'message', data });
const shapes = {
  ws: (data) => [frame(message(data))],
  'ws-stream': (data) => [frame(`id: 1-${++number}\ndata: ${data}\n\n`)],
};

for (const [transport, shape] of Object.entries(shapes)) {
  for (const size of ['50', '300']) {
    test(`bench by ${transport}, events of ${size} bytes`, async (t) => {
      const server = await websockets(t, shape);
      const report = await bench(t, server, ['--transport', transport, '--subscribers', '5', '--rate', '40', '--size', size]);
      assertFlawless(report, 5);
      assertTraffic(report, Number(size));
      assert.ok(server.said.pongs > 5);
      assert.deepEqual([...server.said.protocols], [transport === 'ws' ? undefined : 'freshet.stream']);
    });
  }
}

test('bench by ws takes messages in pieces, and sees what is missing', async (t) => {
  const whole = await websockets(t, (data) => {
    const text = message(data);
    return [frame(text.slice(0, 20), 0x01), frame('', 0x8a), frame(text.slice(20), 0x80)];
  });
  assertFlawless(await bench(t, whole, ['--transport', 'ws', '--subscribers', '3', '--rate', '20']), 3);
  let count = 0;
  const lossy = await websockets(t, (data) => (++count % 5 === 0 ? [] : [frame(message(data))]));
  const report = await bench(t, lossy, ['--transport', 'ws', '--subscribers', '2', '--rate', '42', '--patience', '200ms'], 1);
  assert.ok(report.missing >= 8 * 2, JSON.stringify(report));
});

test('bench by ws is refused by who does not upgrade', async (t) => {
  const plain = http.createServer((request, response) => response.end('no'));
  t.after(() => plain.close());
  t.after(() => plain.closeAllConnections());
  await new Promise((resolve) => { plain.listen(0, '127.0.0.1', resolve); });
  const { status, stderr } = await run(t, ['bench', '--url', `http://127.0.0.1:${plain.address().port}`, '--transport', 'ws', '--subscribers', '2']);
  assert.equal(status, 1);
  assert.match(stderr, /0 of 2 listeners/);
});

test('bench refuses transports that do not go together', async (t) => {
  for (const [args, sentence] of [
    [['--transport', 'ws', '--gzip'], /--gzip/],
    [['--transport', 'pigeon'], /sse/],
  ]) {
    const { status, stderr } = await run(t, ['bench', ...args]);
    assert.equal(status, 2);
    assert.match(stderr, sentence);
  }
});
