// Events on disk: what a restart keeps, when publishers are answered, and what happens when there is no room.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  assertProblem, assertRising, connect, dataDirectory, historyState, limitFiles, metric, order, post, postJson, publish, publisher,
  request, run, serve, subscribe, subscribeHead, test, until, untilStoring, untilSubscribers,
} from './harness/index.mjs';

const big = 'x'.repeat(20_000);

test('events, ids and places survive a restart', async (t) => {
  const data = dataDirectory(t);
  const first = await serve(t, ['--data', data]);
  const ids = [];
  for (let i = 0; i < 5; i++) {
    ids.push(await publish(t, first, 'a', `event ${i}`));
  }
  await publish(t, first, 'a', 'named', { id: 'my own' });
  await publish(t, first, 'b', 'elsewhere');
  await first.stop();

  const second = await serve(t, ['--data', data]);
  const resumed = await subscribe(t, second, '/events/a', { headers: { 'last-event-id': ids[1] } });
  const events = await resumed.take(4);
  assert.deepEqual(events.map((event) => event.data), ['event 2', 'event 3', 'event 4', 'named']);
  assert.deepEqual(events.map((event) => event.id), [...ids.slice(2), 'my own']);
  ids.push(await publish(t, second, 'a', 'new'));
  assertRising(ids);
  assert.equal((await resumed.next()).data, 'new');
  const own = await subscribe(t, second, '/events/a', { headers: { 'last-event-id': 'my own' } });
  assert.equal((await own.next()).data, 'new');
  const pattern = await subscribe(t, second, '/events/**?last_event_id=earliest');
  assert.equal((await pattern.take(8)).length, 8);
});

test('an acknowledged event survives kill -9', async (t) => {
  const data = dataDirectory(t);
  const first = await serve(t, ['--data', data]);
  const id = await publish(t, first, 'a', 'kept');
  first.kill('SIGKILL');
  await first.ending();
  const second = await serve(t, ['--data', data]);
  const stream = await subscribe(t, second, '/events/a?last_event_id=earliest');
  assert.deepEqual(await stream.take(1), [{ event: 'message', id, data: 'kept' }]);
});

test('relaxed: a clean end writes what was waiting', async (t) => {
  const data = dataDirectory(t);
  const args = ['--data', data, '--durability', 'relaxed', '--commit-interval', '1m'];
  const first = await serve(t, args);
  const id = await publish(t, first, 'a', 'kept');
  await first.stop();
  const second = await serve(t, args);
  const stream = await subscribe(t, second, '/events/a?last_event_id=earliest');
  assert.deepEqual(await stream.take(1), [{ event: 'message', id, data: 'kept' }]);
});

test('every form of a publish is stored before its answer, and is whole', async (t) => {
  const data = dataDirectory(t);
  const server = await serve(t, ['--data', data]);
  await publish(t, server, 'a', 'raw');
  assert.equal((await postJson(t, server, { topic: 'a', data: 'object' })).status, 200);
  assert.equal((await postJson(t, server, Array.from({ length: 600 }, (_, i) => ({ topic: 'a', data: i })))).status, 200);
  const streamed = await post(t, server, 'a', 'data: one\n\ndata: two\n\n', { headers: { 'content-type': 'text/event-stream' } });
  assert.equal(streamed.json().published, 2);
  server.kill('SIGKILL');
  await server.ending();
  const again = await serve(t, ['--data', data]);
  const stream = await subscribe(t, again, '/events/a?last_event_id=earliest');
  const events = await stream.take(604);
  assert.deepEqual(events.map((event) => event.data), ['raw', 'object', ...Array.from({ length: 600 }, (_, i) => String(i)), 'one', 'two']);
  assertRising(events.map((event) => event.id));
});

test('pipelined publishes are answered in order', async (t) => {
  const server = await serve(t, ['--data', dataDirectory(t)]);
  const socket = await connect(t, server);
  const one = (i) => `POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n${i}`;
  socket.send([0, 1, 2, 3, 4].map(one).join(''));
  const ids = [];
  for (let i = 0; i < 5; i++) {
    ids.push((await socket.readResponse()).json().id);
  }
  assertRising(ids);
});

test('a publisher that shuts its end after the request gets its answer', async (t) => {
  const server = await serve(t, ['--data', dataDirectory(t)]);
  const socket = await connect(t, server);
  socket.socket.allowHalfOpen = true;
  socket.socket.end('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx');
  assert.equal((await socket.readResponse()).status, 200);
});

test('a second server on the same directory refuses', async (t) => {
  const data = dataDirectory(t);
  const server = await serve(t, ['--data', data]);
  const second = await run(t, ['serve', '--listen', '127.0.0.1:0', '--data', data]);
  assert.notEqual(second.status, 0);
  assert.match(second.stderr, /freshet serve: .* is in use by process \d+: take another directory/);
  assert.equal(second.stdout, '');
  await publish(t, server, 'a', 'still here');
});

test('a directory that is not freshet\'s is refused and not touched', async (t) => {
  const data = dataDirectory(t);
  const file = join(data, 'data.mdb');
  writeFileSync(file, 'precious '.repeat(2000));
  const { status, stderr } = await run(t, ['serve', '--listen', '127.0.0.1:0', '--data', data]);
  assert.notEqual(status, 0);
  assert.match(stderr, /freshet serve: /);
  assert.equal(readFileSync(file, 'utf8'), 'precious '.repeat(2000));
});

test('settings that do not go together', async (t) => {
  const data = dataDirectory(t);
  const none = await run(t, ['serve', '--check', '--durability', 'relaxed']);
  assert.equal(none.status, 2);
  assert.match(none.stderr, /--durability is about events on disk; say where with --data DIR/);
  const both = await run(t, ['serve', '--check', '--data', data, '--id-file', join(data, 'id')]);
  assert.equal(both.status, 2);
  assert.match(both.stderr, /leave --id-file out/);
  const empty = await run(t, ['serve', '--check', '--data', '']);
  assert.equal(empty.status, 2);
});

test('--check tells what is wrong with the directory, and makes nothing', async (t) => {
  const data = dataDirectory(t);
  const check = (path) => run(t, ['serve', '--check', '--data', path]);
  const fresh = join(data, 'new');
  assert.equal((await check(fresh)).status, 0);
  assert.ok(!existsSync(fresh));
  const nowhere = await check(join(data, 'not', 'there'));
  assert.notEqual(nowhere.status, 0);
  assert.match(nowhere.stderr, /cannot be made; make it/);
  writeFileSync(join(data, 'file'), '');
  const file = await check(join(data, 'file'));
  assert.notEqual(file.status, 0);
  assert.match(file.stderr, /it is not a directory/);
  mkdirSync(fresh);
  assert.equal((await check(fresh)).status, 0);
  assert.deepEqual(readdirSync(fresh), []);
});

// The largest file of the directory may not grow.
function fillUp(server, data) {
  limitFiles(server, Math.max(...readdirSync(data).map((name) => statSync(join(data, name)).size)));
}

// Publishes until the disk is full; returns the ids that were acknowledged and the refusal.
async function publishUntilRefused(t, server, topic) {
  const ids = [];
  for (;;) {
    const response = await post(t, server, topic, big);
    if (response.status !== 200) {
      return { ids, response };
    }
    ids.push(response.json().id);
  }
}

test('commit: no room is 507, and passes by itself', async (t) => {
  const data = dataDirectory(t);
  const server = await serve(t, ['--data', data]);
  const stream = await subscribe(t, server, '/events/a');
  await publish(t, server, 'a', 'first');
  fillUp(server, data);
  const { ids, response } = await publishUntilRefused(t, server, 'a');
  assertProblem(response, 507);

  // From here on nothing is even tried; and a batch and a stream hear the same.
  await until(async () => (await historyState(t, server, 'fine')) === 0, 'the state is told');
  const sentence = /so nothing was published; try again later/;
  for (const refused of [
    await post(t, server, 'a', 'more'),
    await postJson(t, server, [{ topic: 'a', data: 1 }]),
    await post(t, server, 'a', 'data: x\n\n', { headers: { 'content-type': 'text/event-stream' } }),
  ]) {
    assert.match(assertProblem(refused, 507).detail, sentence);
  }
  const ready = await request(t, server, { path: '/readyz' });
  assert.equal(ready.status, 200);
  assert.match(ready.body, /^ready, but /);
  assert.ok((await metric(t, server, 'freshet_publishes_unstored_total')) >= 4);
  assert.ok((await metric(t, server, 'freshet_history_commit_failures_total')) > 0);
  await server.says(/--data .*; publishers are refused until it can/);
  const pub = await run(t, ['pub', '--url', server.url, '--attempts', '1', 'a', 'x']);
  assert.equal(pub.status, 1);
  assert.match(pub.stderr, sentence);

  limitFiles(server, 'unlimited');
  await untilStoring(t, server);
  await server.says(/events are stored again/);
  const last = await publish(t, server, 'a', 'last');
  const live = await stream.takeUntil((event) => event.id === last);
  assert.ok(!live.some((event) => event.data === 'more'), 'what was refused up front was not delivered');
  assert.equal((await request(t, server, { path: '/readyz' })).body, 'ready\n');

  server.kill('SIGKILL');
  await server.ending();
  const again = await serve(t, ['--data', data]);
  const replay = await subscribe(t, again, '/events/a?last_event_id=earliest');
  const stored = new Set((await replay.takeUntil((event) => event.id === last)).map((event) => event.id));
  for (const id of ids) {
    assert.ok(stored.has(id), `${id} was acknowledged and is not there`);
  }
});

test('relaxed: no room stops neither publishers nor live delivery', async (t) => {
  const data = dataDirectory(t);
  const server = await serve(t, ['--data', data, '--durability', 'relaxed', '--commit-interval', '1ms', '--history-queue-bytes', '1m']);
  const stream = await subscribe(t, server, '/events/a');
  const say = await publisher(t, server, 'a');
  const first = await say('first');
  await stream.take(1);
  fillUp(server, data);
  let sent = 0;
  const round = async (count) => {
    for (let i = 0; i < count; i++, sent++) {
      await say(big);
    }
    await stream.take(count);
  };
  await until(async () => {
    await round(20);
    return (await historyState(t, server, 'fine')) === 0;
  }, 'the disk is full');
  await round(100); // more than may wait
  assert.ok((await metric(t, server, 'freshet_history_lost_total')) > 0);
  await server.says(/publishing goes on, and what is published now may be lost/);

  limitFiles(server, 'unlimited');
  await untilStoring(t, server);
  const last = await say('last');
  await until(async () => (await metric(t, server, 'freshet_history_waiting_events')) === 0, 'all is on disk');
  stream.close(); // with its feed goes the window, which still has everything
  await untilSubscribers(t, server, 0);
  const resumed = await subscribe(t, server, '/events/a', { headers: { 'last-event-id': first } });
  const events = await resumed.takeUntil((event) => event.id === last);
  assert.ok(events.filter((event) => event.data === big).length < sent, 'not all of it was kept');
  assert.ok(events.some((event) => event.event === 'freshet.gap'), 'and the listener is told');
});

test('the size on disk stays within --history-bytes, and publishing goes on', async (t) => {
  const data = dataDirectory(t);
  const most = 4 << 20;
  const server = await serve(t, ['--data', data, '--history-bytes', '4m']);
  let last;
  for (let i = 0; i < 60; i++) {
    const response = await postJson(t, server, Array.from({ length: 10 }, () => ({ topic: 'a', data: big })));
    assert.equal(response.status, 200, response.body);
    last = response.json().at(-1).id;
  }
  const size = readdirSync(data).reduce((sum, name) => sum + statSync(join(data, name)).blocks * 512, 0);
  assert.ok(size <= most + 64 * 1024, `${size} bytes`);
  const replay = await subscribe(t, server, '/events/a?last_event_id=earliest');
  const events = await replay.takeUntil((event) => event.id === last);
  assert.ok(events.length >= 20, `${events.length} events are left`);
  assert.ok(order(events.at(-1).id) === order(last));
});

test('readers that stop in the middle of what is dropped do not make the file grow', async (t) => {
  const data = dataDirectory(t);
  const server = await serve(t, ['--data', data, '--history-count', '500', '--socket-buffer', '4k', '--window-bytes', '64k']);
  const batch = Array.from({ length: 250 }, () => ({ topic: 'a', data: big.slice(0, 4000) }));
  const round = async () => assert.equal((await postJson(t, server, batch)).status, 200);
  const size = () => statSync(join(data, 'data.mdb')).size;
  for (let i = 0; i < 8; i++) {
    await round();
  }
  const before = size();
  for (let i = 0; i < 60; i++) { // 60 MB come and go
    const socket = await connect(t, server);
    socket.send(subscribeHead(server, '/events/a?last_event_id=earliest'));
    await socket.readHead();
    socket.pause();
    await round();
  }
  assert.ok((await metric(t, server, 'freshet_stalls_total')) >= 40);
  assert.ok(size() <= before + (16 << 20), `${before} bytes became ${size()}`); // it grows in such steps
});

test('what was before the directory was made is told as a gap, also after a restart', async (t) => {
  const data = dataDirectory(t);
  const expectGap = async (server, topic) => {
    const stream = await subscribe(t, server, `/events/${topic}`, { headers: { 'last-event-id': '1767225600000-0' } });
    await publish(t, server, topic, 'x');
    assert.equal((await stream.next()).event, 'freshet.gap');
  };
  const first = await serve(t, ['--data', data]);
  await expectGap(first, 'a');
  await first.stop();
  const second = await serve(t, ['--data', data]);
  await expectGap(second, 'a');
  await expectGap(second, 'never/heard/of');
});
