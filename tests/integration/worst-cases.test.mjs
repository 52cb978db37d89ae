// The worst cases, which must be boring: whatever some peers do, the others are served, memory stays within its
// budget, and the server neither spins nor dies. Numbers are those of a small machine unless FRESHET_BIG=1.

import assert from 'node:assert/strict';
import {
  assertProblem, big, connect, connectSlowReader, post, postJson, publish, publisher, request, serve, slow, subscribe,
  subscribeHead, test, until, untilSubscribers,
} from './harness/index.mjs';

const crowd = big ? 10_000 : 2_000;
const megabyte = 1024 * 1024;

// Under a sanitizer, memory says nothing about the program.
function assertMemory(server, before, budget) {
  const now = server.memory();
  if (now !== undefined && slow === 1) {
    assert.ok(now - before <= budget, `memory grew by ${now - before} bytes; the budget was ${budget}`);
  }
}

// Subscribes `count` connections at once, and returns their streams.
async function subscribeMany(t, server, count, path = '/events/a') {
  const before = Date.now();
  const streams = await Promise.all([...Array(count)].map(() => subscribe(t, server, path)));
  t.diagnostic(`${count} subscribers in ${Date.now() - before} ms`);
  return streams;
}

test('a subscriber that never reads costs a cursor, and is told of the gap', { timeout: 120_000 }, async (t) => {
  const server = await serve(t, ['--window-bytes', '1m', '--history-bytes', '2m', '--history-topic-bytes', '2m', '--heartbeat', '10m']);
  const stuck = await Promise.all([...Array(5)].map(async () => {
    const stream = await subscribe(t, server, '/events/a');
    stream.socket.pause();
    return stream;
  }));
  const reader = await subscribe(t, server, '/events/a');
  const send = await publisher(t, server, 'a');
  const data = 'x'.repeat(64 * 1024);
  await send(data);
  const before = server.memory();
  for (let i = 0; i < 500; i++) {
    await send(data);
    await reader.next();
  }
  await reader.next();
  assertMemory(server, before, 16 * megabyte);
  await send('last');
  for (const stream of stuck) {
    stream.socket.resume();
    const events = await stream.takeUntil((event) => event.data === 'last');
    const gaps = events.filter((event) => event.event === 'freshet.gap').map((event) => JSON.parse(event.data));
    assert.ok(gaps.length > 0, 'a slow subscriber is told what it missed');
    assert.ok(gaps.every((gap) => gap.reason === 'lagged'), JSON.stringify(gaps));
    assert.ok(events.length < 502);
  }
  await send('on');
  for (const stream of stuck) {
    assert.equal((await stream.next()).data, 'on', 'a slow subscriber stays connected');
  }
});

test('the gap of a slow subscriber names the events around it', async (t) => {
  const server = await serve(t, ['--window-bytes', '256k', '--history-bytes', '512k', '--heartbeat', '10m']);
  const stream = await subscribe(t, server, '/events/a');
  stream.socket.pause();
  const send = await publisher(t, server, 'a');
  const sent = [];
  for (let i = 0; i < 300; i++) {
    sent.push(await send('x'.repeat(64 * 1024)));
  }
  sent.push(await send('last'));
  stream.socket.resume();
  const events = await stream.takeUntil((event) => event.data === 'last');
  let position = -1;
  for (let i = 0; i < events.length; i++) {
    if (events[i].event === 'freshet.gap') {
      const gap = JSON.parse(events[i].data);
      assert.equal(gap.after, position < 0 ? gap.after : sent[position], 'the last event before the gap');
      assert.equal(gap.before, events[i + 1].id, 'the first event after the gap');
      position = sent.indexOf(gap.before) - 1;
    } else {
      assert.equal(events[i].id, sent[++position], 'without a gap, no event is skipped');
    }
  }
});

test('a subscriber that reads a byte now and then holds up nobody', async (t) => {
  const server = await serve(t);
  const { readByte } = await connectSlowReader(t, server, subscribeHead(server, '/events/a'));
  let head = '';
  while (!head.endsWith('\r\n\r\n')) {
    head += await readByte();
  }
  assert.match(head, /^HTTP\/1\.1 200 /);
  const reader = await subscribe(t, server, '/events/a');
  for (let i = 0; i < 100; i++) {
    await publish(t, server, 'a', 'x'.repeat(10_000));
    await reader.next();
    await readByte();
  }
});

test('a subscriber that half-closes is either served or closed, and is forgotten when it has gone', async (t) => {
  const server = await serve(t, ['--heartbeat', '50ms']);
  const stream = await subscribe(t, server, '/events/a');
  stream.socket.halfClose();
  const other = await subscribe(t, server, '/events/a');
  const before = server.processorTime();
  await other.waitComments(20);
  assert.ok(slow > 1 || server.processorTime() - before < 0.5, 'the server does not spin on a half-closed socket');
  await publish(t, server, 'a', 'x');
  await stream.wait(() => stream.ended || stream.queue.length === 1, 'the event, or the end');
  stream.close();
  await untilSubscribers(t, server, 1);
});

test('subscribers that vanish are forgotten', async (t) => {
  const server = await serve(t, ['--heartbeat', '100ms']);
  const streams = await subscribeMany(t, server, 100);
  await untilSubscribers(t, server, 100);
  for (const stream of streams) {
    stream.socket.reset();
  }
  await untilSubscribers(t, server, 0);
});

test('a connection that is reset before it is answered', async (t) => {
  const server = await serve(t);
  for (let i = 0; i < 200; i++) {
    const socket = await connect(t, server);
    socket.send(subscribeHead(server, '/events/a'));
    socket.reset();
  }
  await untilSubscribers(t, server, 0);
});

test('a crowd that connects at once is served, and each hears the same event', { timeout: 180_000 }, async (t) => {
  const server = await serve(t, ['--max-connections', String(crowd + 100)]);
  const streams = await subscribeMany(t, server, crowd);
  await untilSubscribers(t, server, crowd, 60_000);
  const id = await publish(t, server, 'a', 'hello');
  const heard = await Promise.all(streams.map((stream) => stream.next(60_000)));
  assert.ok(heard.every((event) => event.id === id && event.data === 'hello'));
  streams.forEach((stream) => stream.close());
  await untilSubscribers(t, server, 0, 60_000);
});

test('publishing is answered while a crowd is being served', { timeout: 180_000 }, async (t) => {
  const server = await serve(t, ['--max-connections', String(crowd + 100)]);
  const streams = await subscribeMany(t, server, crowd);
  const send = await publisher(t, server, 'a');
  for (let i = 0; i < 20; i++) {
    await send(String(i));
  }
  const expected = [...Array(20).keys()].map(String);
  for (const stream of streams) {
    assert.deepEqual((await stream.take(20, 60_000)).map((event) => event.data), expected);
  }
});

test('a header that never ends is cut off', async (t) => {
  const server = await serve(t);
  const before = server.memory();
  const socket = await connect(t, server);
  socket.send('GET /events/a HTTP/1.1\r\nHost: h\r\nX: ');
  const response = socket.readResponse();
  const filling = setInterval(() => socket.send('x'.repeat(64 * 1024)), 1);
  t.after(() => clearInterval(filling));
  assert.equal((await response).status, 431);
  await socket.waitClosed();
  assertMemory(server, before, 4 * megabyte);
});

test('a body of 1 GB is refused before it is sent', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  socket.send(`POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: ${1024 ** 3}\r\n\r\n`);
  assertProblem(await socket.readResponse(), 413);
});

// Sends until the server has answered or closed, but no more than `limit` bytes.
async function flood(socket, chunk, limit) {
  const closed = new Promise((resolve) => socket.socket.once('close', resolve));
  for (let sent = 0; sent < limit && !socket.closed && socket.size === 0; sent += chunk.length) {
    await Promise.race([socket.send(chunk), closed]);
  }
}

test('a body without end costs no more than its limit', async (t) => {
  const server = await serve(t, ['--max-body', '1m']);
  const before = server.memory();
  const socket = await connect(t, server);
  await socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
  await flood(socket, Buffer.from(`10000\r\n${'x'.repeat(65536)}\r\n`), 1024 * megabyte);
  assert.equal((await socket.readHead()).status, 413);
  assertMemory(server, before, 8 * megabyte);
});

test('an event stream with a line without end costs no more than its limit', async (t) => {
  const server = await serve(t, ['--max-body', '1m']);
  const before = server.memory();
  for (const start of ['data: ', ': ', 'unknown: ', 'id: ', 'x']) {
    const socket = await connect(t, server);
    await socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    await socket.send(`${start.length.toString(16)}\r\n${start}\r\n`);
    await flood(socket, Buffer.from(`10000\r\n${'x'.repeat(65536)}\r\n`), 16 * megabyte);
    socket.close();
  }
  assertMemory(server, before, 12 * megabyte);
  assert.ok(await publish(t, server, 'a', 'alive'));
});

test('a topic of 100 KB', async (t) => {
  const server = await serve(t);
  const topic = 't'.repeat(100 * 1024);
  assertProblem(await request(t, server, { path: `/events/${topic}` }), 414);
  assertProblem(await request(t, server, { path: `/events?topic=${topic}` }), 414);
  assertProblem(await postJson(t, server, { topic, data: 'x' }), 400);
});

test('data full of CR, LF and NUL never breaks the framing', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const pieces = ['\r', '\n', '\r\n', '\0', 'x', ':', 'data: evil', 'id: 1', '\n\n', '\ufeff'];
  let seed = 7;
  const random = (below) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  for (let i = 0; i < 200; i++) {
    const data = [...Array(random(30))].map(() => pieces[random(pieces.length)]).join('');
    await publish(t, server, 'a', data);
    assert.equal((await stream.next()).data, data.replace(/\r\n?/g, '\n'));
  }
});

test('a million lines in one event', async (t) => {
  const server = await serve(t, ['--max-body', '8m', '--window-bytes', '64m', '--history-bytes', '64m', '--history-topic-bytes', '64m']);
  const stream = await subscribe(t, server, '/events/a');
  const data = '\n'.repeat(1_000_000);
  const response = await post(t, server, 'a', data);
  assert.ok([200, 413].includes(response.status));
  if (response.status === 200) {
    assert.equal((await stream.next(60_000)).data, data);
  }
});

test('publishers that die in mid-body publish nothing, and what was whole in a stream', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  for (let i = 0; i < 50; i++) {
    const socket = await connect(t, server);
    await socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf');
    i % 2 ? socket.reset() : socket.halfClose();
  }
  const piped = await connect(t, server);
  piped.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Type: text/event-stream\r\nContent-Length: 1000\r\n\r\ndata: whole\n\ndata: half');
  assert.equal((await stream.next()).data, 'whole');
  piped.reset();
  await publish(t, server, 'a', 'end');
  assert.equal((await stream.next()).data, 'end');
});

test('when descriptors run out, those who are there are served and nothing spins', async (t) => {
  const server = await serve(t, ['--heartbeat', '100ms', '--workers', '1'], { files: 64 });
  const stream = await subscribe(t, server, '/events/a');
  const send = await publisher(t, server, 'a');
  const waiting = [];
  for (let i = 0; i < 100; i++) {
    const socket = await connect(t, server);
    socket.send(subscribeHead(server, '/events/a'));
    waiting.push(socket);
  }
  await send('1');
  assert.equal((await stream.next()).data, '1');
  const before = server.processorTime();
  await stream.waitComments(stream.comments + 20);
  assert.ok(slow > 1 || server.processorTime() - before < 0.7, 'accept pauses instead of spinning');
  await send('2');
  assert.equal((await stream.next()).data, '2');
  waiting.forEach((socket) => socket.close());
  await until(async () => {
    const response = await request(t, server, { path: '/healthz' }).catch(() => undefined);
    return response?.status === 200;
  }, 'new connections are accepted again');
});

test('a publish flood stays within the budget', { timeout: 120_000 }, async (t) => {
  const server = await serve(t, ['--window-bytes', '1m', '--history-bytes', '2m', '--history-topic-bytes', '2m']);
  await publish(t, server, 'warm', 'x');
  const before = server.memory();
  const batch = JSON.stringify([...Array(100)].map((_, i) => ({ topic: `t/${i}`, data: 'x'.repeat(1000) })));
  for (let i = 0; i < 300; i++) {
    assert.equal((await postJson(t, server, batch)).status, 200);
  }
  assertMemory(server, before, 16 * megabyte);
});

test('many topics vanish when nobody needs them', { timeout: 120_000 }, async (t) => {
  const server = await serve(t, ['--history-count', '0']);
  await publish(t, server, 'warm', 'x');
  const before = server.memory();
  const rounds = big ? 1000 : 100;
  for (let i = 0; i < rounds; i++) {
    const batch = [...Array(500).keys()].map((j) => ({ topic: `${i}/${j}`, data: 'x' }));
    assert.equal((await postJson(t, server, batch)).status, 200);
  }
  assertMemory(server, before, 16 * megabyte);
});

test('a subscriber of many topics that comes and goes leaves nothing', async (t) => {
  const server = await serve(t, ['--max-topics', '100']);
  const path = `/events?${[...Array(100).keys()].map((i) => `topic=${i}/*`).join('&')}`;
  for (let round = 0; round < 5; round++) {
    const streams = await Promise.all([...Array(20)].map(() => subscribe(t, server, path)));
    streams.forEach((stream, i) => (i % 2 ? stream.close() : stream.socket.reset()));
    await untilSubscribers(t, server, 0);
  }
});

test('SIGTERM with a crowd: each gets a retry of its own and a close, spread over --drain', { timeout: 180_000 }, async (t) => {
  const server = await serve(t, ['--drain', '2s', '--max-connections', String(crowd + 100)]);
  const streams = await subscribeMany(t, server, crowd);
  const ends = streams.map(async (stream) => {
    await stream.finish(60_000);
    return Date.now();
  });
  server.kill('SIGTERM');
  const times = await Promise.all(ends);
  const spread = Math.max(...times) - Math.min(...times);
  t.diagnostic(`the closes were spread over ${spread} ms`);
  assert.ok(spread > 500, `all ${crowd} were closed within ${spread} ms`);
  const retries = new Set(streams.map((stream) => stream.retries.at(-1)));
  assert.ok(streams.every((stream) => stream.retries.length === 2));
  assert.ok(retries.size > 100, `${retries.size} different retries`);
  assert.equal(await server.ending(), 0);
});
