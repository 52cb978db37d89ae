// GET /events: what a subscriber is told, and what it then hears.

import assert from 'node:assert/strict';
import {
  assertProblem, assertRising, connect, postJson, publish, request, serve, subscribe, subscribeFetch, subscribeHead,
  test, untilSubscribers,
} from './harness/index.mjs';

test('the head of a stream is exact', async (t) => {
  const server = await serve(t);
  const { head } = await subscribe(t, server, '/events?topic=a');
  assert.equal(head.version, '1.1');
  assert.match(head.headers['content-type'], /^text\/event-stream(; charset=utf-8)?$/);
  assert.equal(head.headers['cache-control'], 'no-cache, no-store, no-transform');
  assert.equal(head.headers['x-accel-buffering'], 'no');
  assert.match(head.headers.vary, /\bAccept\b/);
  assert.equal(head.headers.connection, 'close');
  assert.equal(head.headers['content-length'], undefined);
  assert.equal(head.headers['transfer-encoding'], undefined);
  assert.match(head.headers['last-event-id'], /^\d+-\d+$/);
  const names = head.lines.map((line) => line.split(':')[0].toLowerCase());
  assert.equal(new Set(names).size, names.length, 'no header appears twice');
});

test('the first bytes of the body are a comment and retry, without a blank line', async (t) => {
  const server = await serve(t, ['--retry', '1234ms']);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events?topic=a'));
  await socket.readHead();
  assert.equal(await socket.read(':\nretry: 1234\n'.length), ':\nretry: 1234\n');
  await publish(t, server, 'a', 'x');
  assert.match(await socket.readUntil('\n\n'), /^id: \d+-\d+\ndata: x\n\n$/);
});

test('fields come in the order id, event, retry, data', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a'));
  await socket.readUntil(/retry: \d+\n/);
  await publish(t, server, 'a', 'one\ntwo', { event: 'tick', retry: '500' });
  assert.match(await socket.readUntil('\n\n'), /^id: \d+-\d+\nevent: tick\nretry: 500\ndata: one\ndata: two\n\n$/);
});

test('one topic in the path, slashes included', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a/b/c');
  await publish(t, server, 'a/b', 'other');
  await publish(t, server, 'a/b/c', 'mine');
  assert.equal((await stream.next()).data, 'mine');
});

test('a topic in the path is percent-decoded', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/caf%C3%A9%20au%20lait');
  await postJson(t, server, { topic: 'café au lait', data: 'mine' });
  assert.equal((await stream.next()).data, 'mine');
});

test('several topics on one connection', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=a&topic=b');
  await publish(t, server, 'b', '1');
  await publish(t, server, 'c', 'not for us');
  await publish(t, server, 'a', '2');
  assert.deepEqual((await stream.take(2)).map((event) => event.data), ['1', '2']);
});

test('* is one segment', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=room/*/chat');
  await publish(t, server, 'room/chat', 'no');
  await publish(t, server, 'room/1/2/chat', 'no');
  await publish(t, server, 'room/1/door', 'no');
  await publish(t, server, 'room/1/chat', 'yes');
  await publish(t, server, 'room/x y/chat', 'also');
  assert.deepEqual((await stream.take(2)).map((event) => event.data), ['yes', 'also']);
});

test('** is the rest, one segment or more', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=room/**');
  await publish(t, server, 'room', 'no');
  await publish(t, server, 'rooms/1', 'no');
  await publish(t, server, 'room/1', 'one');
  await publish(t, server, 'room/1/2/3', 'three');
  assert.deepEqual((await stream.take(2)).map((event) => event.data), ['one', 'three']);
});

test('** alone hears every topic, those that come later too', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=**');
  await publish(t, server, 'a', '1');
  await publish(t, server, 'b/c', '2');
  assert.deepEqual((await stream.take(2)).map((event) => event.data), ['1', '2']);
});

test('a pattern in the path is a pattern', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a/*');
  await publish(t, server, 'a/b', 'yes');
  assert.equal((await stream.next()).data, 'yes');
});

test('stars elsewhere in a segment are letters like any other', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=a*');
  await publish(t, server, 'ab', 'no');
  await publish(t, server, 'a*', 'yes');
  assert.equal((await stream.next()).data, 'yes');
});

test('** before the end of a pattern is refused', async (t) => {
  const server = await serve(t);
  assertProblem(await request(t, server, { path: '/events?topic=**/a' }), 400);
});

test('an event that reaches a connection by two topics comes once', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=a&topic=b&topic=**&topic=*');
  const response = await postJson(t, server, { topics: ['a', 'b', 'c'], data: 'once' });
  assert.equal(response.status, 200, response.body);
  await publish(t, server, 'a', 'then');
  assert.deepEqual((await stream.take(2)).map((event) => event.data), ['once', 'then']);
});

test('the same topic named twice is heard once', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=a&topic=a');
  await publish(t, server, 'a', '1');
  await publish(t, server, 'a', '2');
  assert.deepEqual((await stream.take(2)).map((event) => event.data), ['1', '2']);
});

test('ids rise over all topics of a connection', async (t) => {
  const server = await serve(t, ['--workers', '2']);
  const stream = await subscribe(t, server, '/events?topic=a&topic=b&topic=c');
  const publisher = async (topic) => {
    for (let i = 0; i < 100; i++) {
      await publish(t, server, topic, `${topic}${i}`);
    }
  };
  await Promise.all(['a', 'b', 'c'].map(publisher));
  const events = await stream.take(300);
  assertRising(events.map((event) => event.id));
  for (const topic of ['a', 'b', 'c']) {
    const numbers = events.filter((event) => event.data[0] === topic).map((event) => Number(event.data.slice(1)));
    assert.deepEqual(numbers, [...Array(100).keys()]);
  }
});

test('all subscribers hear the same events in the same order', async (t) => {
  const server = await serve(t, ['--workers', '2']);
  const streams = await Promise.all([...Array(10)].map(() => subscribe(t, server, '/events/a')));
  await Promise.all([...Array(50).keys()].map((i) => publish(t, server, 'a', String(i))));
  const [first, ...others] = await Promise.all(streams.map((stream) => stream.take(50)));
  for (const other of others) {
    assert.deepEqual(other, first);
  }
});

test('over fetch', async (t) => {
  const server = await serve(t);
  const stream = await subscribeFetch(t, server, '/events/a');
  await publish(t, server, 'a', 'hello');
  assert.equal((await stream.next()).data, 'hello');
});

test('HTTP/1.0 gets the same stream, ended by close', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a', { version: '1.0', headers: { host: undefined } });
  assert.equal(stream.head.headers['transfer-encoding'], undefined);
  await publish(t, server, 'a', 'hello');
  assert.equal((await stream.next()).data, 'hello');
});

test('a heartbeat is a comment without a blank line, in silence only', async (t) => {
  const server = await serve(t, ['--heartbeat', '50ms']);
  const stream = await subscribe(t, server, '/events/a');
  await stream.waitComments(4);
  await publish(t, server, 'a', 'hello');
  assert.equal((await stream.next()).data, 'hello');
  await stream.waitComments(stream.comments + 2);
});

test('--greeting sends an event of its own first', async (t) => {
  const server = await serve(t, ['--greeting', 'welcome']);
  const stream = await subscribe(t, server, '/events/a');
  const greeting = await stream.next();
  assert.equal(greeting.data, 'welcome');
  await publish(t, server, 'a', 'hello');
  assert.equal((await stream.next()).data, 'hello');
});

test('--max-age closes a connection after a fresh retry', async (t) => {
  const server = await serve(t, ['--max-age', '200ms', '--retry', '3s']);
  const stream = await subscribe(t, server, '/events/a');
  await stream.finish();
  assert.equal(stream.retries.length, 2, 'one in the preamble, one at the end');
  assert.notEqual(stream.retries[1], undefined);
});

test('control=1 asks for freshet.connection and freshet.caught-up', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a', 'old');
  const stream = await subscribe(t, server, '/events/a?last=1&control=1');
  assert.equal((await stream.next()).event, 'freshet.connection');
  assert.equal((await stream.next()).data, 'old');
  assert.equal((await stream.next()).event, 'freshet.caught-up');
});

test('HEAD answers with the head of a stream and does not subscribe', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events?topic=a', { method: 'HEAD', headers: { connection: 'close' } }));
  const head = await socket.readHead();
  assert.equal(head.status, 200);
  assert.match(head.headers['content-type'], /^text\/event-stream/);
  assert.equal(await socket.readToEnd(), '');
});

test('OPTIONS says what is allowed', async (t) => {
  const server = await serve(t);
  for (const path of ['/events', '/events/a']) {
    const response = await request(t, server, { method: 'OPTIONS', path });
    assert.ok([200, 204].includes(response.status));
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
      assert.match(response.headers.allow, new RegExp(`\\b${method}\\b`));
    }
  }
});

test('a preflight from an allowed origin may send Last-Event-ID', async (t) => {
  const server = await serve(t, ['--cors-origin', 'https://app.example']);
  const response = await request(t, server, {
    method: 'OPTIONS',
    path: '/events/a',
    headers: {
      origin: 'https://app.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'last-event-id',
    },
  });
  assert.equal(response.headers['access-control-allow-origin'], 'https://app.example');
  assert.match(response.headers['access-control-allow-headers'], /last-event-id/i);
  assert.match(response.headers['access-control-allow-methods'], /GET/);
});

test('CORS exposes the cursor to an allowed origin and says nothing to others', async (t) => {
  const server = await serve(t, ['--cors-origin', 'https://app.example']);
  const allowed = await subscribe(t, server, '/events/a', { headers: { origin: 'https://app.example' } });
  assert.equal(allowed.head.headers['access-control-allow-origin'], 'https://app.example');
  assert.match(allowed.head.headers['access-control-expose-headers'], /last-event-id/i);
  assert.match(allowed.head.headers.vary, /\bOrigin\b/);
  const other = await request(t, server, { method: 'HEAD', path: '/events/a', headers: { origin: 'https://evil.example' } });
  assert.equal(other.headers['access-control-allow-origin'], undefined);
});

test('--cors-origin * allows every origin, without credentials', async (t) => {
  const server = await serve(t, ['--cors-origin', '*']);
  const stream = await subscribe(t, server, '/events/a', { headers: { origin: 'https://any.example' } });
  assert.equal(stream.head.headers['access-control-allow-origin'], '*');
  assert.equal(stream.head.headers['access-control-allow-credentials'], undefined);
});

test('other methods get 405 and Allow', async (t) => {
  const server = await serve(t);
  for (const method of ['PUT', 'DELETE', 'PATCH', 'BREW']) {
    const response = await request(t, server, { method, path: '/events/a' });
    assertProblem(response, 405);
    assert.match(response.headers.allow, /GET/);
    assert.match(response.headers.allow, /POST/);
  }
});

test('an unknown path is 404', async (t) => {
  const server = await serve(t);
  assertProblem(await request(t, server, { path: '/nothing/here' }), 404);
  assertProblem(await request(t, server, { path: '/eventsource' }), 404);
});

test('an Accept that leaves nothing is 406', async (t) => {
  const server = await serve(t);
  assertProblem(await request(t, server, { path: '/events/a', headers: { accept: 'image/png' } }), 406);
});

test('an absent, wild or lesser Accept gets an event stream', async (t) => {
  const server = await serve(t);
  for (const accept of [undefined, '*/*', 'text/*', 'text/html, text/event-stream;q=0.1', 'image/png, */*;q=0.01']) {
    const { head } = await subscribe(t, server, '/events/a', { headers: { accept } });
    assert.match(head.headers['content-type'], /^text\/event-stream/, accept);
  }
});

test('no topic at all is 400', async (t) => {
  const server = await serve(t);
  assertProblem(await request(t, server, { path: '/events' }), 400);
  assertProblem(await request(t, server, { path: '/events?topic=' }), 400);
});

test('topics with control characters or broken UTF-8 are 400', async (t) => {
  const server = await serve(t);
  for (const topic of ['a%0Ab', 'a%00', '%7F', '%FF', '%C3', '%ED%A0%80', 'a%zz', '%']) {
    assertProblem(await request(t, server, { path: `/events?topic=${topic}` }), 400);
  }
});

test('a topic may have 256 bytes and no more', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, `/events/${'t'.repeat(256)}`);
  await publish(t, server, 't'.repeat(256), 'hello');
  assert.equal((await stream.next()).data, 'hello');
  assertProblem(await request(t, server, { path: `/events/${'t'.repeat(257)}` }), 400);
});

test('a subscriber that has gone is forgotten', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  await untilSubscribers(t, server, 1);
  stream.close();
  await untilSubscribers(t, server, 0);
});
