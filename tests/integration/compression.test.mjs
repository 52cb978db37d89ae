// gzip for who asks for it: what is in it is what everyone else gets, each event is there as soon as it has come, and
// it ends as a file would.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import {
  connect, metric, publish, publisher, request, serve, subscribe, subscribeFetch, subscribeHead, test, until, untilSubscribers,
  withoutCompression, within,
} from './harness/index.mjs';
import { beginH2, connectH2 } from './harness/h2.mjs';
import { Stream } from './harness/sse.mjs';

const options = { skip: withoutCompression() };
const gzip = { 'accept-encoding': 'gzip' };

// What these first bytes of a body say, whether or not they are all.
const inflate = (bytes) => zlib.gunzipSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH });

// Hears a body through a decompressor that is fed what comes as it comes. `raw` is what came, `plain` what it said.
function decode(stream) {
  const gunzip = zlib.createGunzip();
  Object.assign(stream, { raw: [], plain: [] });
  gunzip.on('data', (chunk) => stream.plain.push(chunk) && stream.push(chunk));
  gunzip.on('end', () => stream.end());
  gunzip.on('error', (error) => {
    stream.failure ??= error;
    stream.end();
  });
  return { take: (chunk) => stream.raw.push(chunk) && gunzip.write(chunk), end: () => gunzip.end() };
}

async function subscribeGzip(t, server, where, { headers = {}, ...rest } = {}) {
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, where, { headers: { ...gzip, ...headers }, ...rest }));
  const head = await socket.readHead();
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-encoding'], 'gzip');
  const stream = new Stream(() => socket.close());
  const decoder = decode(stream);
  stream.head = head;
  stream.socket = socket;
  socket.divert(decoder.take, decoder.end);
  return stream;
}

const text = (stream) => Buffer.concat(stream.plain).toString();
const size = (stream) => Buffer.concat(stream.raw).length;
const price = (i) => JSON.stringify({ symbol: 'ABCD', price: 10 + i / 7, currency: 'USD', venue: { id: i % 5, name: 'Nasdaq' } });

test('the head says so, and what decided', options, async (t) => {
  const server = await serve(t);
  for (const version of ['1.0', '1.1']) {
    const stream = await subscribeGzip(t, server, '/events/a', { version });
    assert.equal(stream.head.headers.vary, 'Accept, Accept-Encoding');
    assert.equal(stream.head.headers['content-length'], undefined);
    const id = await publish(t, server, 'a', 'one');
    assert.deepEqual(await stream.next(), { event: 'message', data: 'one', id });
  }
  const head = await request(t, server, { method: 'HEAD', path: '/events/a', headers: gzip });
  assert.equal(head.headers['content-encoding'], 'gzip');
  assert.equal(head.headers.vary, 'Accept, Accept-Encoding');
  const plain = await subscribe(t, server, '/events/a');
  assert.equal(plain.head.headers['content-encoding'], undefined);
  assert.equal(plain.head.headers.vary, 'Accept, Accept-Encoding');
});

test('Accept-Encoding decides', options, async (t) => {
  const server = await serve(t);
  const coding = async (accept) => (await request(t, server, {
    method: 'HEAD', path: '/events/a', headers: { 'accept-encoding': accept },
  })).headers['content-encoding'];
  for (const accept of ['gzip', 'br, gzip, deflate', 'x-gzip', '*', 'identity;q=0, *', 'gzip;q=0.5', 'GZIP; Q=1.0']) {
    assert.equal(await coding(accept), 'gzip', accept);
  }
  for (const accept of ['', 'identity', 'br', 'gzip;q=0', '*;q=0', '*, gzip;q=0', 'gzip;q=0.5, identity', undefined]) {
    assert.equal(await coding(accept), undefined, accept);
  }
});

test('what is in it is what others get, byte for byte', options, async (t) => {
  const server = await serve(t, ['--greeting', 'hello', '--retry', '1234ms']);
  const packed = await subscribeGzip(t, server, '/events?topic=a&topic=b/*&control=1');
  const plain = await connect(t, server);
  plain.send(subscribeHead(server, '/events?topic=a&topic=b/*&control=1'));
  await plain.readHead();
  const send = await publisher(t, server, 'a');
  for (let i = 0; i < 300; i++) {
    await (i % 7 ? send(price(i)) : publish(t, server, 'b/x', `line\n${'é'.repeat(i)}`, { event: 'tick', retry: 5 }));
  }
  const late = await subscribeGzip(t, server, '/events?topic=a&topic=b/*&last=100');
  await publish(t, server, 'a', 'last');
  const want = await plain.readUntil('data: last\n\n');
  await packed.takeUntil((event) => event.data === 'last');
  await late.takeUntil((event) => event.data === 'last');
  // Each has a name of its own; and the id in caught-up is that of the newest event at the time, which is the same for
  // both only if nothing came between.
  const withoutOwn = (body) => body.replace(/(freshet\.(?:caught-up|connection)\ndata: ).*/g, '$1…');
  assert.equal(withoutOwn(text(packed)), withoutOwn(want));
  const events = text(late).slice(text(late).indexOf('id: '));
  assert.ok(want.endsWith(events));
  assert.ok(size(packed) < want.length / 2, `${size(packed)} of ${want.length} bytes`);
});

test('newline-delimited JSON that ends is a file that gunzip takes', options, async (t) => {
  const server = await serve(t);
  const send = await publisher(t, server, 'a');
  for (let i = 0; i < 20; i++) {
    await send(price(i));
  }
  const accept = 'application/x-ndjson';
  const from = 'last_event_id=earliest';
  for (const [query, count] of [
    [`${from}&wait=0`, 20], [`${from}&limit=7`, 7], [`${from}&limit=500&wait=0`, 20], [`${from}&limit=20`, 20], ['wait=0', 0],
  ]) {
    const socket = await connect(t, server);
    const chunks = [];
    socket.send(subscribeHead(server, `/events/a?${query}`, { headers: { ...gzip, accept } }));
    await socket.readHead();
    await within(new Promise((resolve) => socket.divert((chunk) => chunks.push(chunk), resolve)), 'the end');
    const lines = zlib.gunzipSync(Buffer.concat(chunks)).toString().split('\n').slice(0, -1).map(JSON.parse);
    assert.deepEqual(lines.map((line) => line.data), [...Array(count).keys()].map(price), query);
  }
});

test('a page and a poll are compressed as a whole, when that makes them shorter', options, async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a', 'one');
  const headers = { ...gzip, accept: 'application/json' };
  const ask = async (query) => {
    const response = await within(fetch(`${server.url}/events/a?${query}`, { headers }), 'a page');
    return { coding: response.headers.get('content-encoding'), vary: response.headers.get('vary'), items: await response.json() };
  };
  const short = await ask('last_event_id=earliest');
  assert.equal(short.coding, null);
  assert.equal(short.vary, 'Last-Event-ID, Accept, Accept-Encoding');
  for (let i = 0; i < 50; i++) {
    await publish(t, server, 'a', price(i));
  }
  const page = await ask('last_event_id=earliest&limit=1000');
  assert.equal(page.coding, 'gzip');
  assert.deepEqual(page.items.slice(1).map((item) => item.data), [...Array(50).keys()].map(price));
  const poll = ask('wait=10');
  await untilSubscribers(t, server, 1);
  await publish(t, server, 'a', price(1).repeat(9));
  assert.deepEqual((await poll).items.map((item) => item.data), [price(1).repeat(9)]);
  assert.equal((await poll).coding, 'gzip');
});

test('one compression serves everyone at one cursor', options, async (t) => {
  const server = await serve(t, ['--workers', '1']);
  const streams = await Promise.all([...Array(50)].map(() => subscribeGzip(t, server, '/events/a')));
  for (let i = 0; i < 5; i++) {
    await publish(t, server, 'a', price(i));
    await Promise.all(streams.map((stream) => stream.next()));
  }
  assert.equal(await metric(t, server, 'freshet_packs_total'), 5);
  assert.equal(await metric(t, server, 'freshet_events_delivered_total'), 250);
});

test('a slow reader gets every byte, from the window and from history', options, async (t) => {
  const server = await serve(t, ['--socket-buffer', '4k', '--window-bytes', '64k', '--workers', '1']);
  const slow = await subscribeGzip(t, server, '/events/a');
  const quick = await subscribeGzip(t, server, '/events/a');
  slow.socket.pause();
  const send = await publisher(t, server, 'a');
  const sent = [];
  // Bytes that cannot be made shorter, so that they fill what is between.
  for (let i = 0; i < 300; i++) {
    sent.push(randomBytes(i % 10 ? 3000 : 90_000).toString('base64'));
    await send(sent.at(-1));
  }
  assert.deepEqual((await quick.take(300)).map((event) => event.data), sent);
  assert.ok(await metric(t, server, 'freshet_stalls_total') > 0);
  slow.socket.resume();
  assert.deepEqual((await slow.take(300)).map((event) => event.data), sent);
  assert.ok(await metric(t, server, 'freshet_replayed_total') > 0);
  assert.equal(text(slow), text(quick));
});

test('a slow reader whom history has left behind is told', options, async (t) => {
  const server = await serve(t, ['--socket-buffer', '4k', '--window-bytes', '64k', '--history-count', '10', '--workers', '1']);
  const slow = await subscribeGzip(t, server, '/events/a');
  slow.socket.pause();
  const send = await publisher(t, server, 'a');
  let last;
  for (let i = 0; i < 200; i++) {
    last = randomBytes(60_000).toString('base64');
    await send(last);
  }
  slow.socket.resume();
  const events = await slow.takeUntil((event) => event.data === last);
  const gap = events.find((event) => event.event === 'freshet.gap');
  assert.equal(JSON.parse(gap.data).reason, 'lagged');
});

test('a heartbeat, and events after it', options, async (t) => {
  const server = await serve(t, ['--heartbeat', '30ms']);
  const stream = await subscribeGzip(t, server, '/events/a');
  for (let i = 0; i < 3; i++) {
    await stream.waitComments(stream.comments + 2);
    await publish(t, server, 'a', price(i));
    assert.equal((await stream.next()).data, price(i));
  }
});

test('a drain ends the body as gzip does', options, async (t) => {
  const server = await serve(t, ['--drain', '200ms']);
  const streams = await Promise.all([...Array(10)].map(() => subscribeGzip(t, server, '/events/a')));
  await publish(t, server, 'a', price(1));
  server.kill('SIGTERM');
  for (const stream of streams) {
    assert.deepEqual((await stream.finish()).map((event) => event.data), [price(1)]);
    assert.equal(stream.retries.length, 2);
    assert.equal(zlib.gunzipSync(Buffer.concat(stream.raw)).toString(), text(stream));
  }
  assert.equal(await server.ending(), 0);
});

test('wherever it is cut, all whole events before the cut are there', options, async (t) => {
  const server = await serve(t);
  const stream = await subscribeGzip(t, server, '/events/a');
  const ends = [];
  for (let i = 0; i < 40; i++) {
    await publish(t, server, 'a', price(i));
    await stream.next();
    ends.push([size(stream), text(stream)]);
  }
  const raw = Buffer.concat(stream.raw);
  for (let cut = ends[0][0]; cut <= raw.length; cut++) {
    const [, whole] = ends.findLast(([bytes]) => bytes <= cut);
    assert.ok(inflate(raw.subarray(0, cut)).toString().startsWith(whole), `at ${cut} of ${raw.length} bytes`);
  }
});

test('over HTTP/2', options, async (t) => {
  const server = await serve(t, ['--drain', '100ms']);
  const session = await connectH2(t, server);
  const carrier = await beginH2(session, { path: '/events/a', headers: { ...gzip, accept: 'text/event-stream' } });
  const head = await within(carrier.answered, 'an answer');
  assert.equal(head['content-encoding'], 'gzip');
  const stream = new Stream(() => carrier.close());
  const decoder = decode(stream);
  carrier.on('data', decoder.take);
  carrier.on('end', decoder.end);
  for (let i = 0; i < 20; i++) {
    await publish(t, server, 'a', price(i));
    assert.equal((await stream.next()).data, price(i));
  }
  server.kill('SIGTERM');
  await stream.finish();
  assert.equal(stream.retries.length, 2);
});

test('it can be turned off, for all or for some', options, async (t) => {
  const coding = async (server, where) => {
    const { headers } = await request(t, server, { method: 'HEAD', path: where, headers: gzip });
    return `${headers['content-encoding']}; ${headers.vary}`;
  };
  const off = await serve(t, ['--compression', 'off']);
  assert.equal(await coding(off, '/events/a'), 'undefined; Accept');
  const folder = mkdtempSync(path.join(tmpdir(), 'freshet-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = path.join(folder, 'freshet.conf');
  writeFileSync(config, '[topics "accounts/**"]\ncompression = off\n\n[topics "accounts"]\ncompression = off\n');
  const some = await serve(t, ['--config', config]);
  for (const [where, want] of [['/events/a', 'gzip'], ['/events/accounts/7', undefined], ['/events?topic=a&topic=accounts', undefined],
    ['/events/**', undefined], ['/events/a/*', undefined], ['/events?topic=a&topic=b', 'gzip']]) {
    assert.equal(await coding(some, where), `${want}; Accept, Accept-Encoding`, where);
  }
  writeFileSync(config, 'compression = off\n[topics "prices/**"]\ncompression = on\n');
  const one = await serve(t, ['--config', config]);
  assert.equal(await coding(one, '/events/prices/a'), 'gzip; Accept, Accept-Encoding');
  assert.equal(await coding(one, '/events/a'), 'undefined; Accept, Accept-Encoding');
});

// --- each event is readable the moment it arrives, in what people use ---

// Publishes one event, and the next only when `heard` says that it is there.
async function oneByOne(t, server, heard) {
  await untilSubscribers(t, server, 1);
  for (let i = 0; i < 5; i++) {
    await publish(t, server, 'a', price(i));
    await heard(price(i));
  }
}

test("Node's fetch hears each event as it comes", options, async (t) => {
  const server = await serve(t);
  const stream = await subscribeFetch(t, server, '/events/a');
  assert.equal(stream.response.headers.get('content-encoding'), 'gzip');
  await oneByOne(t, server, async (data) => assert.equal((await stream.next()).data, data));
});

test("Node's http and zlib hear each event as it comes", options, async (t) => {
  const server = await serve(t);
  const response = await within(new Promise((resolve) => http.get(`${server.url}/events/a`, { headers: gzip }, resolve)), 'a response');
  t.after(() => response.destroy());
  let said = '';
  response.pipe(zlib.createGunzip()).on('data', (chunk) => { said += chunk; }).on('error', () => {});
  await oneByOne(t, server, (data) => until(() => said.endsWith(`data: ${data}\n\n`), 'the event is there'));
});

function program(command, ...args) {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return false;
  } catch {
    return `${command} is missing`;
  }
}

async function hearThrough(t, command, args) {
  const server = await serve(t);
  const child = spawn(command, args(`${server.url}/events/a`), { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (chunk) => { said += chunk; });
  await oneByOne(t, server, (data) => until(() => said.endsWith(`data: ${data}\n\n`), `${command} has said the event`));
}

test('curl hears each event as it comes', { skip: options.skip || program('curl', '--version') }, (t) =>
  hearThrough(t, 'curl', (url) => ['-sN', '--compressed', url]));

const python = `
import sys, urllib.request, zlib
request = urllib.request.Request(sys.argv[1], headers={"Accept-Encoding": "gzip"})
answer = urllib.request.urlopen(request)
assert answer.headers["Content-Encoding"] == "gzip"
reader = zlib.decompressobj(31)
while piece := answer.read1():
    sys.stdout.write(reader.decompress(piece).decode())
    sys.stdout.flush()
`;

test('Python hears each event as it comes', { skip: options.skip || program('python3', '-c', 'import zlib') }, (t) =>
  hearThrough(t, 'python3', (url) => ['-c', python, url]));
