// A server with --data that is killed, and what the next one on the same directory still knows: repetitions, limits,
// purges, pages, topics. What becomes of the events themselves is in durability.test.mjs and crash.test.mjs.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  apiTopics, assertProblem, assertRising, metric, postJson, publish, request, serve, subscribe, test, until,
} from './harness/index.mjs';

function directory(t) {
  const path = mkdtempSync(join(tmpdir(), 'freshet-data-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function kill(server) {
  server.kill('SIGKILL');
  await server.ending();
}

const send = (t, server, key, body, path = '/events/a', type = 'text/plain') =>
  request(t, server, { method: 'POST', path, headers: { 'content-type': type, 'idempotency-key': key }, body });

async function publishMany(t, server, count, topicOf = () => 'a', from = 0) {
  const ids = [];
  for (let at = from; at < from + count; at += 5000) {
    const events = Array.from({ length: Math.min(5000, from + count - at) }, (_, i) => ({ topic: topicOf(at + i), data: String(at + i) }));
    const response = await postJson(t, server, events);
    assert.equal(response.status, 200, response.body);
    ids.push(...response.json().map(({ id }) => id));
  }
  return ids;
}

const read = (t, server, path) => request(t, server, { path, headers: { accept: 'application/json' } });

// The data of what a topic still holds.
async function kept(t, server, topic) {
  const response = await read(t, server, `/events/${topic}?last_event_id=earliest&limit=100000`);
  assert.equal(response.status, 200, response.body);
  return response.json().filter((event) => event.id).map((event) => event.data);
}

const upTo = (count, from = 0) => Array.from({ length: count - from }, (_, i) => String(from + i));

test('a publish that is repeated after a crash changes nothing, and is answered alike', async (t) => {
  const args = ['--data', directory(t)];
  const first = await serve(t, args);
  const items = JSON.stringify(Array.from({ length: 300 }, (_, i) => ({ topic: `t${i % 3}`, data: String(i) })));
  const all = (server) => Promise.all([
    send(t, server, '"one"', 'raw'),
    send(t, server, '"many"', items, '/events', 'application/json'),
    send(t, server, '"stream"', 'data: x\n\ndata: y\n\n', '/events/a', 'text/event-stream'),
  ]);
  const answers = await all(first);
  await kill(first);
  const second = await serve(t, args);
  const live = await subscribe(t, second, '/events?topic=**');
  const again = await all(second);
  assert.deepEqual(again.map(({ status, body }) => [status, body]), answers.map(({ status, body }) => [status, body]));
  assertProblem(await send(t, second, '"one"', 'another'), 422);
  await publish(t, second, 'a', 'end');
  assert.equal((await live.next()).data, 'end');
  const replay = await subscribe(t, second, '/events?topic=**&last_event_id=earliest');
  const heard = await replay.takeUntil((event) => event.data === 'end');
  assert.equal(heard.length, 1 + 300 + 2 + 1);
});

test('an event stream that broke off with the server is continued by sending it again', async (t) => {
  const args = ['--data', directory(t)];
  const first = await serve(t, args);
  const events = (count) => upTo(count).map((data) => `data: ${data}\n\n`).join('');
  assert.equal((await send(t, first, '"s"', events(20), '/events/a', 'text/event-stream')).status, 200);
  await kill(first);
  const second = await serve(t, args);
  assert.equal((await send(t, second, '"s"', events(50), '/events/a', 'text/event-stream')).status, 200);
  assert.deepEqual(await kept(t, second, 'a'), upTo(50));
});

test('an event with an id of its own is the same event after a crash', async (t) => {
  const args = ['--data', directory(t)];
  const first = await serve(t, args);
  assert.equal(await publish(t, first, 'a', 'x', { id: 'mine' }), 'mine');
  await kill(first);
  const second = await serve(t, args);
  const live = await subscribe(t, second, '/events/a');
  assert.equal(await publish(t, second, 'a', 'x', { id: 'mine' }), 'mine');
  assert.equal(await publish(t, second, 'a', 'y', { id: 'mine' }), 'mine'); // another content: another event
  assert.equal((await live.next()).data, 'y');
  assert.deepEqual(await kept(t, second, 'a'), ['x', 'y']);
});

test('a key is known although its event is no longer held', async (t) => {
  const args = ['--data', directory(t), '--history-count', '2'];
  const first = await serve(t, args);
  const answer = await send(t, first, '"old"', 'old');
  await publishMany(t, first, 5);
  await kill(first);
  const second = await serve(t, args);
  assert.equal((await send(t, second, '"old"', 'old')).body, answer.body);
  assert.deepEqual(await kept(t, second, 'a'), upTo(5, 3));
});

test('sections are kept to over restarts, also when they are lowered', async (t) => {
  const data = directory(t);
  const file = join(directory(t), 'freshet.conf');
  const args = ['--data', data, '--config', file];
  writeFileSync(file, 'history-count = 500\n[topics "log/**"]\nhistory-count = 50\n[topics none]\nhistory-count = 0\n');
  const first = await serve(t, args);
  for (const topic of ['log/a', 'none', 'b']) {
    await publishMany(t, first, 600, () => topic);
  }
  const counts = async (server) => Object.fromEntries((await apiTopics(t, server)).map(({ topic, events }) => [topic, events]));
  assert.deepEqual(await counts(first), { b: 500, 'log/a': 50 });
  await kill(first);
  writeFileSync(file, 'history-count = 500\n[topics "log/**"]\nhistory-count = 10\n[topics b]\nhistory-count = 3\n');
  const second = await serve(t, args);
  await until(async () => (await metric(t, second, 'freshet_history_events')) === 13, 'what is too much is dropped');
  assert.deepEqual(await counts(second), { b: 3, 'log/a': 10 });
  assert.deepEqual(await kept(t, second, 'log/a'), upTo(600, 590));
  assert.deepEqual(await kept(t, second, 'b'), upTo(600, 597));
  await publishMany(t, second, 4, () => 'none');
  assert.equal((await kept(t, second, 'none')).length, 4); // it has no section any more
});

test('a purge holds over a crash, and is told to those who still needed it', async (t) => {
  const args = ['--data', directory(t)];
  const first = await serve(t, args);
  const ids = await publishMany(t, first, 20, (i) => (i % 2 ? 'a' : 'b'));
  const response = await request(t, first, { method: 'DELETE', path: '/api/topics/a' });
  assert.equal(response.status, 204, response.body);
  const tells = async (server, next) => {
    const stream = await subscribe(t, server, '/events/a', { headers: { 'last-event-id': ids[1] } });
    const [gap, event] = await stream.take(2);
    assert.equal(gap.event, 'freshet.gap');
    assert.deepEqual(JSON.parse(gap.data), { after: ids[1], before: next, reason: 'expired' });
    assert.equal(event.id, next);
    stream.close();
  };
  const next = await publish(t, first, 'a', 'next');
  await tells(first, next);
  await kill(first);
  const second = await serve(t, args);
  assert.deepEqual(await kept(t, second, 'a'), ['next']);
  assert.deepEqual(await kept(t, second, 'b'), upTo(20).filter((i) => i % 2 === 0));
  await tells(second, next);
  assert.equal((await request(t, second, { method: 'DELETE', path: '/api/topics/a' })).status, 204);
  await until(async () => (await metric(t, second, 'freshet_history_events')) === 10, 'the file has forgotten it');
  await kill(second);
  const third = await serve(t, args);
  assert.deepEqual((await apiTopics(t, third)).map(({ topic, events }) => [topic, events]), [['b', 10]]);
  assertProblem(await request(t, third, { method: 'DELETE', path: '/api/topics/a' }), 404);
});

test('links of pages are good after a crash', async (t) => {
  const args = ['--data', directory(t)];
  const count = 3000;
  let server = await serve(t, args);
  await publishMany(t, server, count, (i) => `t/${i % 5}`);
  const heard = [];
  for (let at = '/events?topic=t/*&last_event_id=earliest&limit=700'; at;) {
    const response = await read(t, server, at);
    assert.equal(response.status, 200, response.body);
    heard.push(...response.json());
    const [, link] = response.headers.link?.match(/^<([^>]*)>; rel="next"$/) ?? [];
    at = link && `/events${link}`;
    await kill(server);
    server = await serve(t, args);
  }
  assert.deepEqual(heard.map((event) => event.data), upTo(count));
  assertRising(heard.map((event) => event.id));
});

test('topics are listed with what they hold, before anyone uses them again', async (t) => {
  const args = ['--data', directory(t)];
  const first = await serve(t, args);
  const ids = await publishMany(t, first, 250, (i) => `t/${String(i % 100).padStart(3, '0')}`);
  const before = await apiTopics(t, first);
  await kill(first);
  const second = await serve(t, args);
  const after = await apiTopics(t, second);
  assert.equal(after.length, 100);
  assert.deepEqual(after.map(({ topic, events, bytes, newest }) => [topic, events, bytes, newest]),
    before.map(({ topic, events, bytes, newest }) => [topic, events, bytes, newest]));
  assert.equal(after.reduce((sum, { events }) => sum + events, 0), ids.length);
  assert.equal(await metric(t, second, 'freshet_history_events'), 250);
  assert.equal(await metric(t, second, 'freshet_history_topics'), 100);
});

// Bytes of the file that the server has looked at since it started.
function seenOf(server, file) {
  const [, rss] = readFileSync(`/proc/${server.pid}/smaps`, 'utf8').match(new RegExp(`${file}\n(?:.*\n)*?Rss: +(\\d+) kB`));
  return Number(rss) * 1024;
}

test('a start looks at little of what is stored', async (t) => {
  const data = directory(t);
  const args = ['--data', data, '--workers', '1'];
  const first = await serve(t, args);
  await publishMany(t, first, 100_000);
  await first.stop();
  const second = await serve(t, args);
  assert.equal(await metric(t, second, 'freshet_history_events'), 100_000);
  const file = join(data, 'data.mdb');
  assert.ok(seenOf(second, file) < statSync(file).size / 4, `${seenOf(second, file)} of ${statSync(file).size} bytes`);
  const newest = (await read(t, second, '/events/a?last=3')).json();
  assert.deepEqual(newest.map((event) => event.data), upTo(100_000, 99_997));
});
