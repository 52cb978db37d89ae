// Every limit has a setting, an answer when it is hit, and a counter of the hits.

import assert from 'node:assert/strict';
import {
  assertProblem, connect, limitHits, post, postJson, publish, request, serve, subscribe, subscribeHead, test,
  until, untilSubscribers,
} from './harness/index.mjs';

test('--max-body: a length too large is 413 before the body comes', async (t) => {
  const server = await serve(t, ['--max-body', '1k']);
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1025\r\n\r\n');
  assertProblem(await socket.readResponse(), 413);
  assert.equal((await post(t, server, 'a', 'x'.repeat(1024))).status, 200);
  assert.equal(await limitHits(t, server, 'max-body'), 1);
});

test('--max-body: a chunked body too large is 413', async (t) => {
  const server = await serve(t, ['--max-body', '1k']);
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let i = 0; i < 3; i++) {
    socket.send(`200\r\n${'x'.repeat(512)}\r\n`);
  }
  assertProblem(await socket.readResponse(), 413);
});

test('--max-body bounds each event of an event-stream body, not their sum', async (t) => {
  const server = await serve(t, ['--max-body', '1k']);
  const body = `data: ${'x'.repeat(500)}\n\n`.repeat(10);
  const stream = { headers: { 'content-type': 'text/event-stream' } };
  const fits = await post(t, server, 'a', body, stream);
  assert.equal(fits.status, 200, fits.body);
  assert.equal(fits.json().published, 10);
  assert.equal((await post(t, server, 'a', `data: ${'x'.repeat(5000)}\n\n`, stream)).status, 413);
});

test('--max-head: a request line too long is 414', async (t) => {
  const server = await serve(t, ['--max-head', '2k']);
  const response = await request(t, server, { path: `/events/${'a'.repeat(5000)}` });
  assertProblem(response, 414);
  assert.equal(response.headers.connection, 'close');
  assert.ok(await limitHits(t, server, 'max-head') >= 1);
});

test('--max-head: headers too long are 431', async (t) => {
  const server = await serve(t, ['--max-head', '2k']);
  assertProblem(await request(t, server, { path: '/healthz', headers: { x: 'a'.repeat(5000) } }), 431);
});

test('--max-headers: too many headers are 431', async (t) => {
  const server = await serve(t, ['--max-headers', '10']);
  const many = Object.fromEntries([...Array(20).keys()].map((i) => [`x-${i}`, '1']));
  assertProblem(await request(t, server, { path: '/healthz', headers: many }), 431);
  assert.equal(await limitHits(t, server, 'max-headers'), 1);
});

test('--max-topics: too many topics on one connection are refused', async (t) => {
  const server = await serve(t, ['--max-topics', '3']);
  const path = (count) => `/events?${[...Array(count).keys()].map((i) => `topic=${i}`).join('&')}`;
  await subscribe(t, server, path(3));
  assertProblem(await request(t, server, { path: path(4) }), 400);
  assert.equal(await limitHits(t, server, 'max-topics'), 1);
});

test('--max-connections: a subscriber too many gets 200, a retry and a close', async (t) => {
  const server = await serve(t, ['--max-connections', '3']);
  const held = [];
  for (let i = 0; i < 3; i++) {
    held.push(await subscribe(t, server, '/events/a'));
  }
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a'));
  assert.equal((await socket.readHead()).status, 200);
  assert.match(await socket.readToEnd(), /retry: \d+\n/);
  held[0].close();
  await until(async () => (await request(t, server, { path: '/healthz' }).catch(() => ({}))).status === 200, 'there is room again');
  held[1].close();
  assert.ok(await until(() => limitHits(t, server, 'max-connections').catch(() => 0), 'the hit is counted'));
});

test('those who are there are served while the house is full', async (t) => {
  const server = await serve(t, ['--max-connections', '3']);
  const stream = await subscribe(t, server, '/events/a');
  const publisher = await connect(t, server);
  publisher.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1');
  assert.equal((await publisher.readResponse()).status, 200);
  await subscribe(t, server, '/events/a');
  for (let i = 0; i < 5; i++) {
    const late = await connect(t, server);
    late.send(subscribeHead(server, '/events/a'));
    await late.waitClosed();
  }
  publisher.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n2');
  assert.equal((await publisher.readResponse()).status, 200);
  assert.deepEqual((await stream.take(2)).map((event) => event.data), ['1', '2']);
});

test('--header-timeout: a head that does not end is 408 and a close', async (t) => {
  const server = await serve(t, ['--header-timeout', '200ms']);
  const socket = await connect(t, server);
  socket.send('GET /healthz HTTP/1.1\r\nHost: h\r\n');
  const response = await socket.readResponse();
  assert.equal(response.status, 408);
  assert.equal(await socket.readToEnd(), '');
  assert.equal(await limitHits(t, server, 'header-timeout'), 1);
});

test('--header-timeout is for the whole head, not for each byte', async (t) => {
  const server = await serve(t, ['--header-timeout', '300ms']);
  const socket = await connect(t, server);
  socket.send('GET /healthz HTTP/1.1\r\nHost: h\r\nX: ');
  const dripping = setInterval(() => socket.send('x'), 50);
  t.after(() => clearInterval(dripping));
  assert.equal((await socket.readHead()).status, 408);
});

test('a connection on which nothing is ever said is closed', async (t) => {
  const server = await serve(t, ['--header-timeout', '200ms', '--keepalive-timeout', '200ms']);
  const socket = await connect(t, server);
  await socket.waitClosed();
});

test('--body-timeout: a body that does not come is 408 and a close', async (t) => {
  const server = await serve(t, ['--body-timeout', '200ms']);
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhel');
  assert.equal((await socket.readResponse()).status, 408);
  assert.equal(await socket.readToEnd(), '');
  assert.equal(await limitHits(t, server, 'body-timeout'), 1);
});

test('--keepalive-timeout: an idle connection is closed without a word', async (t) => {
  const server = await serve(t, ['--keepalive-timeout', '200ms']);
  const socket = await connect(t, server);
  socket.send('GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal((await socket.readResponse()).status, 200);
  assert.equal(await socket.readToEnd(), '');
});

test('no timeout ends a subscriber', async (t) => {
  const server = await serve(t, ['--header-timeout', '100ms', '--body-timeout', '100ms', '--keepalive-timeout', '100ms', '--heartbeat', '50ms']);
  const stream = await subscribe(t, server, '/events/a');
  await stream.waitComments(10);
  await publish(t, server, 'a', 'still here');
  assert.equal((await stream.next()).data, 'still here');
});

test('a slow event-stream publisher is not timed out while it sends', async (t) => {
  const server = await serve(t, ['--body-timeout', '1s']);
  const stream = await subscribe(t, server, '/events/a');
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
  let sent = 0;
  const dripping = setInterval(() => {
    socket.send('9\r\ndata: x\n\n\r\n');
    sent++;
  }, 100);
  t.after(() => clearInterval(dripping));
  await stream.take(15);
  clearInterval(dripping);
  socket.send('0\r\n\r\n');
  assert.equal((await socket.readResponse()).json().published, sent);
});

test('a batch with more than a body holds is 413, and nothing of it is published', async (t) => {
  const server = await serve(t, ['--max-body', '1k']);
  const stream = await subscribe(t, server, '/events/a');
  const batch = [...Array(100)].map(() => ({ topic: 'a', data: 'xxxxxxxxxx' }));
  assertProblem(await postJson(t, server, batch), 413);
  await publish(t, server, 'a', 'end');
  assert.equal((await stream.next()).data, 'end');
});

test('the gauges return to nothing when everybody has left', async (t) => {
  const server = await serve(t);
  const streams = await Promise.all([...Array(20)].map(() => subscribe(t, server, '/events?topic=a&topic=b/*')));
  await untilSubscribers(t, server, 20);
  streams.forEach((stream) => stream.close());
  await untilSubscribers(t, server, 0);
});

test('--max-connections: who polls is told with a 503 when to come back', async (t) => {
  const server = await serve(t, ['--max-connections', '1']);
  await subscribe(t, server, '/events/a');
  const response = await request(t, server, { path: '/events/a', headers: { accept: 'application/json' } });
  assertProblem(response, 503);
  assert.match(response.headers['retry-after'], /^\d+$/);
});

test('JSON that nests too deeply is 400, and says so', async (t) => {
  const server = await serve(t);
  const deep = `{"topic":"a","data":${'['.repeat(70)}${']'.repeat(70)}}`;
  const response = await request(t, server, {
    method: 'POST', path: '/events', headers: { 'content-type': 'application/json' }, body: deep,
  });
  assert.match(assertProblem(response, 400).detail, /deep/);
});
