// HTTP/2 with prior knowledge, as a client that nobody here wrote sees it: the same routes and the same streams as over
// HTTP/1.1, many on one connection.

import assert from 'node:assert/strict';
import { getJson, limitHits, metric, publish, publisher, serve, subscribe, test, until, untilSubscribers } from './harness/index.mjs';
import { beginH2, connectH2, requestH2, subscribeH2, waitClosed } from './harness/h2.mjs';

const text = { 'content-type': 'text/plain' };

async function post(session, topic, body, headers = text) {
  const answer = await requestH2(session, { method: 'POST', path: `/events/${topic}`, headers, body });
  assert.equal(answer.status, 200, answer.body);
  return answer.json();
}

test('a hundred listeners and a publisher share one connection', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const listeners = [];
  for (let i = 0; i < 100; i++) {
    listeners.push(await subscribeH2(session, `/events/t${i % 10}?topic=all`));
  }
  const ids = [];
  for (let i = 0; i < 20; i++) {
    ids.push((await post(session, 'all', `event ${i}`)).id);
  }
  await post(session, 't3', 'only for ten');
  for (const [i, listener] of listeners.entries()) {
    const events = await listener.take(20);
    assert.deepEqual(events.map((event) => event.id), ids);
    assert.deepEqual(events.map((event) => event.data), ids.map((_, n) => `event ${n}`));
    if (i % 10 === 3) {
      assert.equal((await listener.next()).data, 'only for ten');
    }
    listener.assertQuiet();
  }
  assert.equal((await getJson(t, server, '/api/connections')).total, 100);
});

test('/api/connections names the protocol of each listener', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  await subscribe(t, server, '/events/a');
  await subscribeH2(session, '/events/a');
  const poll = beginH2(session, { path: '/events/a?wait=30', headers: { accept: 'application/json' } });
  await poll;
  await untilSubscribers(t, server, 3);
  const { connections } = await getJson(t, server, '/api/connections');
  const rows = connections.map((row) => `${row.protocol} ${row.representation}`);
  assert.deepEqual(rows, ['h1 event-stream', 'h2 event-stream', 'h2 poll']);
});

test('a stream that ends as it begins ends well', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const answer = await requestH2(session, { path: '/events/a?wait=0', headers: { accept: 'application/x-ndjson' } });
  assert.deepEqual([answer.status, answer.body], [200, '']);
});

test('the head of a stream is that of HTTP/1.1, without what belongs to a connection', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const { head } = await subscribeH2(session, '/events/a');
  assert.equal(head['content-type'], 'text/event-stream');
  assert.equal(head['cache-control'], 'no-cache, no-store, no-transform');
  assert.equal(head['x-accel-buffering'], 'no');
  assert.match(head.vary, /^Accept\b/);
  assert.match(head['last-event-id'], /^\d+-\d+$/);
  assert.match(head.date, / GMT$/);
  for (const name of ['connection', 'keep-alive', 'transfer-encoding', 'content-length']) {
    assert.ok(!(name in head), name);
  }
});

test('every route answers as over HTTP/1.1', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const health = await requestH2(session, { path: '/healthz' });
  assert.deepEqual([health.status, health.body, health.headers['content-length']], [200, 'ok\n', '3']);
  const headOnly = await requestH2(session, { method: 'HEAD', path: '/healthz' });
  assert.deepEqual([headOnly.status, headOnly.body, headOnly.headers['content-length']], [200, '', '3']);
  const streamHead = await requestH2(session, { method: 'HEAD', path: '/events/a' });
  assert.deepEqual([streamHead.status, streamHead.body], [200, '']);
  const options = await requestH2(session, { method: 'OPTIONS', path: '/events/a' });
  assert.equal(options.status, 204);
  assert.match(options.headers.allow, /GET/);
  const missing = await requestH2(session, { path: '/nothing' });
  assert.deepEqual([missing.status, missing.headers['content-type']], [404, 'application/problem+json']);
  assert.equal((await requestH2(session, { method: 'DELETE', path: '/events/a' })).status, 405);
  assert.equal((await requestH2(session, { path: '/events' })).status, 400);
  assert.match((await requestH2(session, { path: '/metrics' })).body, /freshet_requests_total \d/);
  assert.equal((await requestH2(session, { path: '/api/topics' })).json().topics.length, 0);
});

test('a listener resumes from its cursor', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const first = (await post(session, 'a', '1')).id;
  await post(session, 'a', '2');
  await post(session, 'a', '3');
  const listener = await subscribeH2(session, '/events/a', { 'last-event-id': first });
  assert.deepEqual((await listener.take(2)).map((event) => event.data), ['2', '3']);
});

test('JSON, NDJSON and long polls', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const poll = requestH2(session, { path: '/events/a?wait=30', headers: { accept: 'application/json' } });
  await untilSubscribers(t, server, 1);
  const batch = [{ topic: 'a', data: 'x' }, { topic: 'a', data: { y: 1 } }];
  const answer = await requestH2(session, {
    method: 'POST', path: '/events', headers: { 'content-type': 'application/json' }, body: JSON.stringify(batch),
  });
  assert.equal(answer.status, 200, answer.body);
  const polled = await poll;
  assert.equal(polled.json()[0].data, 'x');
  const rest = await requestH2(session, {
    path: `/events/a?last_event_id=${polled.headers['last-event-id']}`, headers: { accept: 'application/json' },
  });
  assert.equal([...polled.json(), ...rest.json()].length, 2);
  const lines = await beginH2(session, { path: '/events/a?last=2', headers: { accept: 'application/x-ndjson' } });
  let got = '';
  lines.on('data', (chunk) => {
    got += chunk;
  });
  await until(() => got.split('\n').length === 3, 'two lines');
  assert.deepEqual(got.trim().split('\n').map((line) => JSON.parse(line).data), ['x', '{"y":1}']);
});

test('a poll that nothing comes for is answered when its time is over', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const answer = await requestH2(session, { path: '/events/a?wait=1', headers: { accept: 'application/json' } });
  assert.deepEqual([answer.status, answer.json()], [200, []]);
});

test('a body larger than all windows is published whole', async (t) => {
  const server = await serve(t, ['--max-body', '4m']);
  const session = await connectH2(t, server);
  const listener = await subscribeH2(session, '/events/a');
  const data = 'x'.repeat(3 << 20);
  await post(session, 'a', data);
  assert.equal((await listener.next()).data, data);
});

test('--max-body: by its length, and as it comes', async (t) => {
  const server = await serve(t, ['--max-body', '1k']);
  const session = await connectH2(t, server);
  const declared = await beginH2(session, {
    method: 'POST', path: '/events/a', headers: { ...text, 'content-length': 200_000 }, body: null,
  });
  assert.equal((await declared.answered)[':status'], 413);
  const sent = await requestH2(session, { method: 'POST', path: '/events/a', headers: text, body: 'x'.repeat(5000) });
  assert.equal(sent.status, 413);
  assert.equal((await post(session, 'a', 'x'.repeat(1024))).id.length > 0, true);
  assert.equal(await limitHits(t, server, 'max-body'), 2);
});

test('an event stream is published as it arrives', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const listener = await subscribeH2(session, '/events/a');
  const upload = await beginH2(session, {
    method: 'POST', path: '/events/a', headers: { 'content-type': 'text/event-stream' }, body: null,
  });
  for (let i = 0; i < 5; i++) {
    upload.write(`data: ${i}\n\n`);
    assert.equal((await listener.next()).data, String(i));
  }
  upload.end();
  assert.equal((await upload.answered)[':status'], 200);
});

test('a stream that is not read lags and holds nobody up', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server, { settings: { initialWindowSize: 1 << 20 } });
  const lazy = await beginH2(session, { path: '/events/a' });
  await lazy.answered;
  lazy.pause();
  const reader = await subscribeH2(session, '/events/a');
  const send = await publisher(t, server, 'a');
  const data = 'x'.repeat(10_000);
  for (let i = 0; i < 300; i++) {
    await send(`${i} ${data}`);
    assert.equal((await reader.next()).data.split(' ')[0], String(i));
  }
  const { connections } = await getJson(t, server, '/api/connections');
  assert.deepEqual(connections.map((row) => row.state).sort(), ['live', 'stalled']);
  let got = '';
  lazy.setEncoding('utf8').on('data', (chunk) => {
    got += chunk;
  });
  lazy.resume();
  await until(() => got.split('\n\n').length > 300, 'the lazy one has it all');
  const seen = [...got.matchAll(/^data: (\d+) /gm)].map((match) => Number(match[1]));
  assert.deepEqual(seen, [...Array(300).keys()]);
});

test('RST_STREAM ends one subscription and no other', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const listeners = [];
  for (let i = 0; i < 10; i++) {
    listeners.push(await subscribeH2(session, '/events/a'));
  }
  listeners[4].close();
  await untilSubscribers(t, server, 9);
  await publish(t, server, 'a', 'still here');
  for (const [i, listener] of listeners.entries()) {
    if (i !== 4) {
      assert.equal((await listener.next()).data, 'still here');
    }
  }
  session.destroy();
  await untilSubscribers(t, server, 0);
});

test('each stream has its heartbeat', async (t) => {
  const server = await serve(t, ['--heartbeat', '100ms']);
  const session = await connectH2(t, server);
  const listeners = await Promise.all([1, 2, 3].map(() => subscribeH2(session, '/events/a')));
  await Promise.all(listeners.map((listener) => listener.waitComments(4)));
});

test('--max-age ends a stream with retry, and leaves the connection', async (t) => {
  const server = await serve(t, ['--max-age', '200ms', '--retry', '1s']);
  const session = await connectH2(t, server);
  const listener = await subscribeH2(session, '/events/a');
  await listener.finish();
  assert.equal(listener.retries.length, 2);
  assert.equal(listener.request.rstCode, 0);
  assert.equal((await requestH2(session, { path: '/healthz' })).status, 200);
});

test('a server that ends says GOAWAY, ends the streams with retry, and is gone', async (t) => {
  const server = await serve(t, ['--drain', '300ms', '--retry', '1s']);
  const session = await connectH2(t, server);
  const idle = await connectH2(t, server);
  const listeners = await Promise.all([1, 2, 3].map(() => subscribeH2(session, '/events/a')));
  await requestH2(idle, { path: '/healthz' });
  server.kill();
  await Promise.all([waitClosed(idle), waitClosed(session)]);
  assert.equal(session.goodbye, 0);
  assert.equal(idle.goodbye, 0);
  for (const listener of listeners) {
    await listener.finish();
    assert.equal(listener.retries.length, 2);
  }
  assert.equal(await server.ending(), 0);
});

test('a connection that idles is told so and closed', async (t) => {
  const server = await serve(t, ['--keepalive-timeout', '200ms', '--header-timeout', '400ms']);
  const session = await connectH2(t, server);
  await requestH2(session, { path: '/healthz' });
  await waitClosed(session);
  assert.equal(session.goodbye, 0);
  assert.equal(await limitHits(t, server, 'keepalive-timeout'), 1);
  const mute = await connectH2(t, server);
  await waitClosed(mute);
  assert.equal(await limitHits(t, server, 'header-timeout'), 1);
});

test('a connection with a listener does not idle', async (t) => {
  const server = await serve(t, ['--keepalive-timeout', '100ms', '--header-timeout', '100ms', '--heartbeat', '50ms']);
  const session = await connectH2(t, server);
  const listener = await subscribeH2(session, '/events/a');
  await listener.waitComments(8);
  await publish(t, server, 'a', 'x');
  assert.equal((await listener.next()).data, 'x');
});

test('--max-connections: one too many gets an answer, and no subscription', async (t) => {
  const server = await serve(t, ['--max-connections', '1']);
  const session = await connectH2(t, server);
  await subscribeH2(session, '/events/a');
  const late = await connectH2(t, server);
  const told = await subscribeH2(late, '/events/a');
  await told.finish();
  assert.equal(told.retries.length, 1);
  assert.ok(told.head['retry-after']);
  await waitClosed(late);
});

test('--max-head and --max-headers answer as over HTTP/1.1', async (t) => {
  const server = await serve(t, ['--max-head', '2k', '--max-headers', '10']);
  const session = await connectH2(t, server);
  assert.equal((await requestH2(session, { path: `/events/${'a'.repeat(3000)}` })).status, 414);
  assert.equal((await requestH2(session, { path: '/healthz', headers: { x: 'a'.repeat(3000) } })).status, 431);
  const many = Object.fromEntries([...Array(20).keys()].map((i) => [`x-${i}`, '1']));
  assert.equal((await requestH2(session, { path: '/healthz', headers: many })).status, 431);
  assert.equal((await requestH2(session, { path: '/healthz' })).status, 200);
  assert.ok(await limitHits(t, server, 'max-head') >= 2);
  assert.equal(await limitHits(t, server, 'max-headers'), 1);
});

test('Expect: 100-continue is answered before the body', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const stream = await beginH2(session, {
    method: 'POST', path: '/events/a', headers: { ...text, expect: '100-continue' }, body: null,
  });
  await new Promise((resolve) => stream.once('continue', resolve));
  stream.end('x');
  assert.equal((await stream.answered)[':status'], 200);
});

// Streams and connections that end at any moment, while events come: what a sanitizer's build is for.
test('resets and closes at random', { timeout: 120_000 }, async (t) => {
  const server = await serve(t, ['--history-count', '50']);
  const send = await publisher(t, server, 'a');
  let seed = 12345;
  const random = (below) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  for (let round = 0; round < 8; round++) {
    const sessions = await Promise.all([...Array(6).keys()].map(() => connectH2(undefined, server)));
    const streams = [];
    for (const session of sessions) {
      for (let i = 0; i < 60; i++) {
        const accept = ['text/event-stream', 'application/x-ndjson', 'application/json'][random(3)];
        const stream = await beginH2(session, { path: '/events/a?wait=20&last=20', headers: { accept } });
        random(2) ? stream.resume() : stream.pause();
        streams.push(stream);
      }
    }
    for (let i = 0; i < 60; i++) {
      await send('x'.repeat(random(3000)));
      for (let n = 0; n < 5; n++) {
        streams[random(streams.length)].close(8);
      }
      if (i % 12 === 11) {
        sessions[random(sessions.length)].destroy();
      }
    }
    sessions.forEach((session) => session.destroy());
  }
  await untilSubscribers(t, server, 0);
  assert.equal(await metric(t, server, 'freshet_pinned_bytes'), 0);
});

test('a request that was answered early may still come to its end', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const early = await beginH2(session, { method: 'POST', path: '/nothing', body: null });
  assert.equal((await early.answered)[':status'], 404);
  const closed = new Promise((resolve) => early.once('close', resolve));
  early.resume();
  early.once('end', () => early.end()); // an empty frame, when the answer is there
  await closed;
  assert.equal((await requestH2(session, { path: '/healthz' })).status, 200);
  assert.equal(session.goodbye, undefined);
});
