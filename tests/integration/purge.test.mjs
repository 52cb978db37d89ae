// DELETE /api/topics/<topic>: what is purged is gone for everyone, and whoever would have needed it is told.

import assert from 'node:assert/strict';
import {
  apiTopics, assertProblem, connect, dataDirectory, historyState, limitFiles, metric, noRoom, order, post, postJson,
  publish, request, serve, subscribe, subscribeHead, test, until, untilStoring, untilSubscribers,
} from './harness/index.mjs';

const purge = (t, server, topic, options = {}) => request(t, server, { method: 'DELETE', path: `/api/topics/${topic}`, ...options });

async function read(t, server, path) {
  const response = await request(t, server, { path, headers: { accept: 'application/json' } });
  assert.equal(response.status, 200, response.body);
  return response.json();
}

async function publishMany(t, server, topic, count) {
  const response = await postJson(t, server, Array.from({ length: count }, (_, i) => ({ topic, data: `${topic} ${i}` })));
  return response.json().map(({ id }) => id);
}

test('a purged topic is empty, and others are as they were', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 'room/1', 5);
  await publishMany(t, server, 'room/2', 5);
  const response = await purge(t, server, 'room/1');
  assert.equal(response.status, 204, response.body);
  assert.equal(response.body, '');
  assert.deepEqual(await read(t, server, '/events/room/1?last_event_id=earliest'), []);
  assert.equal((await read(t, server, '/events/room/2?last_event_id=earliest')).length, 5);
  const all = await read(t, server, '/events?topic=room/*&last_event_id=earliest');
  assert.deepEqual(all.map((event) => event.topic), Array(5).fill('room/2'));
  assert.deepEqual((await apiTopics(t, server)).map(({ topic }) => topic), ['room/2']);
  assert.equal(await metric(t, server, 'freshet_history_dropped_total', 'reason="purge"'), 5);
});

test('a topic that is purged goes on', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  await publish(t, server, 'a', 'before');
  assert.equal((await stream.next()).data, 'before');
  assert.equal((await purge(t, server, 'a')).status, 204);
  await publish(t, server, 'a', 'after');
  assert.equal((await stream.next()).data, 'after'); // it had everything: nothing to tell it
  assert.deepEqual((await read(t, server, '/events/a?last_event_id=earliest')).map((event) => event.data), ['after']);
});

test('whoever comes back for what was purged is told of a gap', async (t) => {
  const server = await serve(t);
  const ids = await publishMany(t, server, 'a', 5);
  assert.equal((await purge(t, server, 'a')).status, 204);
  const next = await publish(t, server, 'a', 'next');
  for (const path of ['/events/a', '/events?topic=*', '/events?topic=a&topic=b']) {
    const stream = await subscribe(t, server, path, { headers: { 'last-event-id': ids[1] } });
    const [gap, event] = await stream.take(2);
    assert.deepEqual([gap.event, event.data], ['freshet.gap', 'next'], path);
    assert.deepEqual(JSON.parse(gap.data), { after: ids[1], before: next, reason: 'expired' });
  }
  const stream = await subscribe(t, server, '/events/a', { headers: { 'last-event-id': ids[4] } });
  assert.equal((await stream.next()).data, 'next');
});

// The windows of the workers hold what is live, whatever history has.
test('also when others listen to the same', async (t) => {
  const server = await serve(t, ['--workers', '4']);
  const others = await Promise.all(Array.from({ length: 12 }, () => subscribe(t, server, '/events/a')));
  await untilSubscribers(t, server, 12);
  const ids = await publishMany(t, server, 'a', 5);
  await Promise.all(others.map((other) => other.take(5)));
  assert.equal((await purge(t, server, 'a')).status, 204);
  for (let i = 0; i < 12; i++) {
    const stream = await subscribe(t, server, '/events/a', { headers: { 'last-event-id': ids[0] } });
    assert.equal((await stream.next()).event, 'freshet.gap');
    stream.close();
  }
});

test('a listener that was too slow for what is purged gets a gap where it was', async (t) => {
  const server = await serve(t, ['--socket-buffer', '4k']);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a'));
  await socket.readHead();
  socket.pause();
  const big = 'x'.repeat(60_000);
  for (let i = 0; i < 100; i++) {
    await publish(t, server, 'a', `${i} ${big}`);
  }
  await until(async () => (await metric(t, server, 'freshet_stalls_total')) > 0, 'the listener is stalled');
  assert.equal((await purge(t, server, 'a')).status, 204);
  const last = await publish(t, server, 'a', 'last');
  socket.resume();
  const text = await socket.readUntil('data: last\n\n');
  const ids = [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => order(id));
  assert.ok(ids.length < 101 && ids.at(-1) === order(last));
  const gap = JSON.parse(text.match(/^event: freshet\.gap\ndata: (.*)$/m)[1]);
  assert.deepEqual([gap.before, gap.reason], [last, 'lagged']);
  assert.equal(order(gap.after), ids.at(-2));
});

test('a large topic is purged at once for whoever looks, and little by little behind the scenes', async (t) => {
  const server = await serve(t, ['--history-count', '100000', '--history-topic-bytes', '0']);
  for (let i = 0; i < 10; i++) {
    await publishMany(t, server, 'big', 3000);
  }
  await publish(t, server, 'other', 'x');
  assert.equal((await purge(t, server, 'big')).status, 204);
  assert.deepEqual(await read(t, server, '/events/big?last_event_id=earliest'), []);
  assert.deepEqual((await read(t, server, '/events?topic=**&last_event_id=earliest&limit=100')).map(({ topic }) => topic), ['other']);
  assertProblem(await purge(t, server, 'big'), 404);
  await until(async () => (await metric(t, server, 'freshet_history_events')) === 1, 'all of it is gone');
});

test('what cannot be purged', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a/b', 'x');
  assert.match(assertProblem(await purge(t, server, 'a'), 404).detail, /holds nothing of this topic/);
  assert.match(assertProblem(await purge(t, server, 'a/*'), 400).detail, /pattern/);
  assertProblem(await purge(t, server, '**'), 400);
  assertProblem(await purge(t, server, ''), 400);
  assertProblem(await purge(t, server, '%zz'), 400);
  assertProblem(await purge(t, server, 'x'.repeat(257)), 400);
  assertProblem(await purge(t, server, 'a/b', { body: 'x' }), 400);
  const get = await request(t, server, { path: '/api/topics/a/b' });
  assertProblem(get, 405);
  assert.equal(get.headers.allow, 'DELETE, OPTIONS');
  assert.equal((await read(t, server, '/events/a/b?last=1')).length, 1);
  assert.equal((await purge(t, server, 'a%2Fb')).status, 204); // the slash may be escaped
});

test('a page of an allowed origin may purge', async (t) => {
  const server = await serve(t, ['--cors-origin', 'https://page.example']);
  const headers = { origin: 'https://page.example', 'access-control-request-method': 'DELETE' };
  const asked = await request(t, server, { method: 'OPTIONS', path: '/api/topics/a', headers });
  assert.match(asked.headers['access-control-allow-methods'], /\bDELETE\b/);
  await publish(t, server, 'a', 'x');
  const response = await purge(t, server, 'a', { headers: { origin: 'https://page.example' } });
  assert.equal(response.status, 204);
  assert.equal(response.headers['access-control-allow-origin'], 'https://page.example');
});

async function restartKilled(t, server, args) {
  server.kill('SIGKILL');
  assert.equal(await server.ending(), 'SIGKILL', server.stderr);
  return serve(t, args);
}

const topicsOf = (events) => [...new Set(events.map(({ topic }) => topic))].sort();

async function topicsStored(t, server) {
  const events = await read(t, server, '/events?topic=**&last_event_id=earliest&limit=1000');
  assert.deepEqual(topicsOf(events), (await apiTopics(t, server)).map(({ topic }) => topic).sort());
  return topicsOf(events);
}

test('on disk: what was answered survives kill -9', async (t) => {
  const args = ['--data', dataDirectory(t)];
  let server = await serve(t, args);
  for (let round = 0; round < 5; round++) {
    const [first] = await publishMany(t, server, 'gone', 20);
    await publish(t, server, 'kept', 'x');
    const socket = await connect(t, server);
    socket.send('DELETE /api/topics/gone HTTP/1.1\r\nHost: h\r\n\r\n');
    assert.equal((await socket.readHead()).status, 204);
    server = await restartKilled(t, server, args);
    assert.deepEqual(await topicsStored(t, server), ['kept']);
    const stream = await subscribe(t, server, '/events/gone', { headers: { 'last-event-id': first } });
    await publish(t, server, 'gone', 'new');
    assert.deepEqual((await stream.take(2)).map(({ event }) => event), ['freshet.gap', 'message']);
  }
});

test('on disk: many purges at once, some of the same topic, each answered when it is stored', async (t) => {
  const args = ['--data', dataDirectory(t), '--workers', '4'];
  const server = await serve(t, args);
  const topics = Array.from({ length: 60 }, (_, i) => `many/${i}`);
  await postJson(t, server, [...topics, 'kept'].map((topic) => ({ topic, data: 'x' })));
  const purgeWhenPossible = async (topic) => {
    let response;
    do { // more may be under way than it takes
      response = await purge(t, server, topic);
    } while (response.status === 503);
    return response.status;
  };
  const twice = await Promise.all([...topics, ...topics].map(purgeWhenPossible));
  topics.forEach((topic, i) => assert.deepEqual([twice[i], twice[i + topics.length]].sort(), [204, 404], topic));
  const again = await restartKilled(t, server, args);
  assert.deepEqual(await topicsStored(t, again), ['kept']);
});

test('on disk: a purge whose connection goes away is done all the same', async (t) => {
  const args = ['--data', dataDirectory(t)];
  const server = await serve(t, args);
  const topics = Array.from({ length: 20 }, (_, i) => `left/${i}`);
  await postJson(t, server, topics.map((topic) => ({ topic, data: 'x' })));
  for (const topic of topics) {
    const socket = await connect(t, server);
    socket.send(`DELETE /api/topics/${topic} HTTP/1.1\r\nHost: h\r\n\r\n`);
    await until(async () => (await purge(t, server, topic)).status === 404, 'it has arrived');
    socket.reset();
  }
  const half = await connect(t, server);
  await publish(t, server, 'half', 'x');
  half.socket.allowHalfOpen = true;
  half.socket.end('DELETE /api/topics/half HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal((await half.readHead()).status, 204);
  const again = await restartKilled(t, server, args);
  assert.deepEqual(await topicsStored(t, again), []);
});

test('on disk: without room a purge is 507, and what it says holds', async (t) => {
  const args = ['--data', dataDirectory(t)];
  const server = await serve(t, args);
  await postJson(t, server, ['late', 'early', 'kept'].map((topic) => ({ topic, data: 'x' })));
  limitFiles(server, noRoom);
  // It waits when the disk fails: out of sight, but perhaps not for ever.
  assert.match(assertProblem(await purge(t, server, 'late'), 507).detail, /nobody gets the events any more, but/);
  assert.deepEqual(await topicsStored(t, server), ['early', 'kept']);
  // From here on nothing is even tried, whatever there is of the topic.
  assert.equal(await historyState(t, server, 'fine'), 0);
  for (const topic of ['early', 'late', 'nothing']) {
    assert.match(assertProblem(await purge(t, server, topic), 507).detail, /so nothing was purged; try again later/);
  }
  assert.deepEqual(await topicsStored(t, server), ['early', 'kept']);
  assertProblem(await post(t, server, 'kept', 'x'), 507);

  limitFiles(server, 'unlimited');
  await untilStoring(t, server);
  assertProblem(await purge(t, server, 'late'), 404); // as the 507 said
  assert.equal((await purge(t, server, 'early')).status, 204);
  const again = await restartKilled(t, server, args);
  assert.deepEqual(await topicsStored(t, again), ['kept']);
});

test('relaxed: a purge is answered whatever the disk says', async (t) => {
  const server = await serve(t, ['--data', dataDirectory(t), '--durability', 'relaxed', '--commit-interval', '1m']);
  await publish(t, server, 'a', 'x');
  limitFiles(server, noRoom);
  assert.equal((await purge(t, server, 'a')).status, 204);
  assertProblem(await purge(t, server, 'a'), 404);
  limitFiles(server, 'unlimited');
});
