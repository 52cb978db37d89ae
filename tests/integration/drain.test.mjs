// SIGTERM: everybody is told when to come back, gently; a second one ends at once.

import assert from 'node:assert/strict';
import {
  connect, publish, publisher, request, serve, slow, subscribe, subscribeHead, test, untilSubscribers,
} from './harness/index.mjs';

// Waits until the server has said that it drains.
const untilDraining = (server) => server.says(/draining/);

test('with nobody there it ends at once, with 0', async (t) => {
  const server = await serve(t, ['--drain', '1h']);
  server.kill('SIGTERM');
  assert.equal(await server.ending(), 0);
});

test('SIGINT does the same', async (t) => {
  const server = await serve(t);
  server.kill('SIGINT');
  assert.equal(await server.ending(), 0);
});

test('each listener gets a retry of its own and a close', async (t) => {
  const server = await serve(t, ['--drain', '1s']);
  const streams = await Promise.all([...Array(30)].map(() => subscribe(t, server, '/events/a')));
  const ends = streams.map((stream) => stream.finish().then(() => Date.now()));
  server.kill('SIGTERM');
  const times = await Promise.all(ends);
  for (const stream of streams) {
    assert.equal(stream.retries.length, 2, 'the preamble\'s, and one before the close');
  }
  assert.ok(new Set(streams.map((stream) => stream.retries[1])).size > 5, 'the retries differ');
  const spread = Math.max(...times) - Math.min(...times);
  assert.ok(spread > 200, `the closes are staggered (they took ${spread} ms)`);
  assert.equal(await server.ending(), 0);
});

test('what was published before the signal is delivered', async (t) => {
  const server = await serve(t, ['--drain', '500ms']);
  const streams = await Promise.all([...Array(10)].map(() => subscribe(t, server, '/events/a')));
  const send = await publisher(t, server, 'a');
  for (let i = 0; i < 20; i++) {
    await send(String(i));
  }
  server.kill('SIGTERM');
  for (const stream of streams) {
    const events = await stream.finish();
    assert.deepEqual(events.map((event) => event.data), [...Array(20).keys()].map(String));
  }
  assert.equal(await server.ending(), 0);
});

test('the close comes between events, never inside one', async (t) => {
  const server = await serve(t, ['--drain', '300ms', '--window-bytes', '1m']);
  const stream = await subscribe(t, server, '/events/a');
  const send = await publisher(t, server, 'a');
  let stop = false;
  const flood = (async () => {
    while (!stop) {
      await send('x'.repeat(10_000));
    }
  })().catch(() => {});
  await stream.take(10);
  server.kill('SIGTERM');
  await stream.finish();
  stop = true;
  await flood;
  assert.equal(stream.failure, undefined);
  assert.deepEqual(stream.decoder.block, {}, 'no event was cut');
  assert.equal(stream.decoder.rest.length, 0, 'no line was cut');
  assert.equal(await server.ending(), 0);
});

test('a subscriber that does not read cannot hold up the end', async (t) => {
  const server = await serve(t, ['--drain', '300ms']);
  const stream = await subscribe(t, server, '/events/a');
  stream.socket.pause();
  const send = await publisher(t, server, 'a');
  for (let i = 0; i < 200; i++) {
    await send('x'.repeat(100_000));
  }
  server.kill('SIGTERM');
  assert.equal(await server.ending(), 0);
});

test('a long poll is answered', async (t) => {
  const server = await serve(t, ['--drain', '300ms']);
  const waiting = request(t, server, { path: '/events/a?wait=60', headers: { accept: 'application/json' } });
  await untilSubscribers(t, server, 1);
  server.kill('SIGTERM');
  const response = await waiting;
  assert.equal(response.status, 200);
  assert.deepEqual(response.json(), []);
  assert.equal(await server.ending(), 0);
});

test('a publish that has begun is finished', async (t) => {
  const server = await serve(t, ['--drain', '5s']);
  const listener = await subscribe(t, server, '/events/a');
  const socket = await connect(t, server);
  await socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  await socket.readHead();
  server.kill('SIGTERM');
  await untilDraining(server);
  socket.send('hello');
  const response = await socket.readResponse();
  assert.equal(response.status, 200);
  assert.equal(response.headers.connection, 'close');
  listener.close();
  assert.equal(await server.ending(), 0);
});

test('a subscriber that comes while draining gets no error that a browser would take for final', async (t) => {
  const server = await serve(t, ['--drain', '5s']);
  const streams = await Promise.all([...Array(3)].map(() => subscribe(t, server, '/events/a')));
  server.kill('SIGTERM');
  await untilDraining(server);
  try {
    const socket = await connect(t, server);
    socket.send(subscribeHead(server, '/events/a'));
    assert.equal((await socket.readHead(2000 * slow)).status, 200);
    assert.match(await socket.readToEnd(), /retry: \d+\n/);
  } catch (error) {
    // Refused, or closed at once; never left to hang until the end.
    assert.match(error.message, /ECONNREFUSED|ECONNRESET|closed before/);
  }
  streams.forEach((stream) => stream.close());
  assert.equal(await server.ending(), 0);
});

test('a second SIGTERM ends at once', async (t) => {
  const server = await serve(t, ['--drain', '1h']);
  const streams = await Promise.all([...Array(20)].map(() => subscribe(t, server, '/events/a')));
  server.kill('SIGTERM');
  await untilDraining(server);
  server.kill('SIGTERM');
  assert.equal(typeof (await server.ending()), 'number', 'it exits; it is not killed');
  await Promise.all(streams.map((stream) => stream.finish()));
});

test('the port is free for a successor at once', async (t) => {
  const first = await serve(t);
  await subscribe(t, first, '/events/a');
  first.kill('SIGTERM');
  assert.equal(await first.ending(), 0);
  const second = await serve(t, [], { listen: `127.0.0.1:${first.port}` });
  assert.ok(await publish(t, second, 'a', 'x'));
});
