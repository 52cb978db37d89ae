// A publish that is repeated, because its answer was lost or because nobody knows whether it was, changes nothing.

import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import {
  assertProblem, assertRising, connect, limitHits, metric, post, postJson, publish, request, run, serve, subscribe, test, until,
} from './harness/index.mjs';

const ndjson = 'application/x-ndjson';

// Posts to a path with a key; returns the whole response.
const send = (t, server, path, key, body, type = 'text/plain') =>
  request(t, server, { method: 'POST', path, headers: { 'content-type': type, 'idempotency-key': key }, body });

// What a listener of everything has heard since it was asked last, up to a marker of its own.
async function hear(t, server, stream) {
  const end = await publish(t, server, 'marker', 'end');
  return (await stream.takeUntil((event) => event.id === end)).slice(0, -1);
}

test('each form of body, sent three times with one key, is published once and answered alike', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=**');
  const items = [...Array(300).keys()].map((i) => ({ topic: `t${i % 3}`, data: `${i}` }));
  const forms = [
    ['/events/a', 'text/plain', 'raw', ['raw']],
    ['/events/a?event=tick&retry=7', 'text/plain', '', ['']],
    ['/events', 'application/json', '{"topics":["a","b"],"data":{"n":1}}', ['{"n":1}']],
    ['/events', 'application/json', JSON.stringify(items), items.map((item) => item.data)],
    ['/events', ndjson, items.map((item) => JSON.stringify(item)).join('\n'), items.map((item) => item.data)],
    ['/events', ndjson, '{"topic":"a","data":1}\nnonsense\n{"topic":"a","data":1}', ['1', '1']],
    ['/events/a', 'text/event-stream', items.map((item) => `data: ${item.data}\n\n`).join(''), items.map((item) => item.data)],
  ];
  for (const [number, [path, type, body, heard]] of forms.entries()) {
    const key = `"form ${number}"`;
    const answer = await send(t, server, path, key, body, type);
    assert.equal(answer.status, 200, answer.body);
    for (let again = 0; again < 2; again++) {
      const repeated = await send(t, server, path, key, body, type);
      assert.deepEqual([repeated.status, repeated.body], [answer.status, answer.body]);
    }
    assert.deepEqual((await hear(t, server, stream)).map((event) => event.data), heard, key);
  }
  assert.equal(await metric(t, server, 'freshet_events_repeated_total'), 2 * (3 + 300 + 300 + 2 + 300));
  assert.equal(await metric(t, server, 'freshet_events_published_total'), 3 + 300 + 300 + 2 + 300 + forms.length);
});

test('an event stream that broke off is continued by sending it again from its beginning', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n'
    + 'Idempotency-Key: "k"\r\n\r\ndata: 1\n\ndata: 1\n\ndata: 2');
  const first = await stream.take(2);
  socket.reset();
  const answer = await send(t, server, '/events/a', '"k"', 'data: 1\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n', 'text/event-stream');
  const rest = await stream.take(2);
  assert.deepEqual([...first, ...rest].map((event) => event.data), ['1', '1', '2', '3']);
  assert.deepEqual(answer.json(), { published: 4, id: rest[1].id });
  await publish(t, server, 'a', 'end');
  assert.equal((await stream.next()).data, 'end');
});

test('an event with an id of its own is the same event wherever it comes from, and another with other data', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=**');
  for (let i = 0; i < 2; i++) {
    assert.equal(await publish(t, server, 'a', 'x', { id: 'mine' }), 'mine');
    assert.deepEqual((await postJson(t, server, [{ topic: 'a', data: 'x', id: 'mine' }])).json(), [{ id: 'mine' }]);
    await post(t, server, 'a', 'id: mine\ndata: x\n\n', { headers: { 'content-type': 'text/event-stream' } });
  }
  assert.deepEqual((await hear(t, server, stream)).map((event) => event.data), ['x']);
  for (const data of ['open', 'closed', 'closed', 'open']) {
    await publish(t, server, 'a', data, { id: 'door' });
  }
  assert.deepEqual((await hear(t, server, stream)).map((event) => event.data), ['open', 'closed', 'open']);
});

test('another key is another event; the same key with other data is 422', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=**');
  const ids = [];
  for (const key of ['1', '2', '"3"']) {
    ids.push((await send(t, server, '/events/a', key, 'x')).json().id);
  }
  assertRising(ids);
  const problem = assertProblem(await send(t, server, '/events/a', '1', 'y'), 422);
  assert.match(problem.detail, /this Idempotency-Key was used for another event/);
  assert.equal((await send(t, server, '/events/a', '"1"', 'x')).json().id, ids[0]);
  assert.deepEqual((await hear(t, server, stream)).map((event) => event.id), ids);
});

test('keys that are none are 400', async (t) => {
  const server = await serve(t);
  for (const key of ['', '""', '"a', 'a b', 'a,b', '"é"', 'k'.repeat(256)]) {
    assertProblem(await send(t, server, '/events/a', key, 'x'), 400);
  }
  assert.equal((await send(t, server, '/events/a', 'k'.repeat(255), 'x')).status, 200);
});

test('workers that get the same publish at the same time agree on one event', async (t) => {
  const server = await serve(t, ['--workers', '4']);
  const stream = await subscribe(t, server, '/events/a');
  const sockets = await Promise.all([...Array(16)].map(() => connect(t, server)));
  for (let round = 0; round < 20; round++) {
    const text = `POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nIdempotency-Key: ${round}\r\n\r\nx`;
    const answers = await Promise.all(sockets.map((socket) => {
      socket.send(text);
      return socket.readResponse();
    }));
    const ids = new Set(answers.map((answer) => answer.json().id));
    assert.equal(ids.size, 1);
    assert.equal((await stream.next()).id, [...ids][0]);
  }
  await publish(t, server, 'a', 'end');
  assert.equal((await stream.next()).data, 'end');
});

test('--idempotency-window: what is older is published again', async (t) => {
  const server = await serve(t, ['--idempotency-window', '1ms']);
  const first = (await send(t, server, '/events/a', 'k', 'x')).json().id;
  await until(async () => (await send(t, server, '/events/a', 'k', 'x')).json().id !== first, 'the key is forgotten');
});

test('--idempotency-window 0: nothing is known again', async (t) => {
  const server = await serve(t, ['--idempotency-window', '0']);
  const ids = [];
  for (let i = 0; i < 3; i++) {
    ids.push((await send(t, server, '/events/a', 'k', 'x')).json().id);
    await publish(t, server, 'a', 'x', { id: 'mine' });
  }
  assertRising(ids);
  assert.equal(await metric(t, server, 'freshet_events_published_total'), 6);
});

test('--idempotency-keys: the oldest are forgotten to make room', async (t) => {
  const server = await serve(t, ['--idempotency-keys', '10']);
  const ids = [];
  for (let i = 0; i < 15; i++) {
    ids.push((await send(t, server, '/events/a', `${i}`, 'x')).json().id);
  }
  assert.equal(await limitHits(t, server, 'idempotency-keys'), 5);
  assert.equal((await send(t, server, '/events/a', '14', 'x')).json().id, ids[14]);
  assert.equal((await send(t, server, '/events/a', '5', 'x')).json().id, ids[5]);
  assert.notEqual((await send(t, server, '/events/a', '4', 'x')).json().id, ids[4]);
});

test('a page of an allowed origin may send a key', async (t) => {
  const server = await serve(t, ['--cors-origin', 'https://app.example']);
  const response = await request(t, server, {
    method: 'OPTIONS', path: '/events/a', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  });
  assert.match(response.headers['access-control-allow-headers'], /\bIdempotency-Key\b/);
});

// A proxy that passes each connection on. The first `swallowed` answers it keeps for itself, and hangs up.
async function forgetfulProxy(t, server, swallowed) {
  const keys = [];
  const proxy = net.createServer((client) => {
    const number = keys.push(undefined);
    const upstream = net.connect(server.port, '127.0.0.1');
    client.on('data', (chunk) => {
      keys[number - 1] ??= chunk.toString('latin1').match(/^idempotency-key: (.*)\r$/im)?.[1];
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => (number <= swallowed ? client.destroy() : client.write(chunk)));
    for (const [one, other] of [[client, upstream], [upstream, client]]) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  return { url: `http://127.0.0.1:${proxy.address().port}`, keys };
}

test('freshet pub: an event whose answer was lost is published once', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=**');
  for (const [args, input, heard] of [
    [['a', 'hello'], '', ['hello']],
    [['a', '--lines'], 'one\none\ntwo\n', ['one', 'one', 'two']],
    [['--ndjson'], '{"topic":"a","data":1}\n{"topic":"b","data":2,"id":"mine"}\n', ['1', '2']],
  ]) {
    const proxy = await forgetfulProxy(t, server, 1);
    const { status, stdout, stderr } = await run(t, ['pub', ...args, '--url', proxy.url], { input });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /trying again/);
    const events = await hear(t, server, stream);
    assert.deepEqual(events.map((event) => event.data), heard);
    assert.deepEqual(stdout.trim().split('\n'), events.map((event) => event.id));
    assert.equal(proxy.keys.length, 2);
    assert.ok(proxy.keys[0]);
    assert.equal(proxy.keys[0], proxy.keys[1]);
  }
  assert.ok(await metric(t, server, 'freshet_events_repeated_total') >= 3);
});
