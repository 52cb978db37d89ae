// What operators look at: health, metrics, who listens to what, and the log.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  apiConnections, apiTopics, connect, metric, metrics, publish, request, run, serve, subscribe, test, until, untilSubscribers,
} from './harness/index.mjs';

test('/healthz and /readyz', async (t) => {
  const server = await serve(t);
  for (const path of ['/healthz', '/readyz']) {
    for (const method of ['GET', 'HEAD']) {
      const response = await request(t, server, { method, path });
      assert.equal(response.status, 200);
      assert.match(response.headers['cache-control'], /no-store/);
    }
    assert.equal((await request(t, server, { method: 'POST', path })).status, 405);
  }
});

test('/metrics is Prometheus text, each metric with its type', async (t) => {
  const server = await serve(t);
  const response = await request(t, server, { path: '/metrics' });
  assert.match(response.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const { samples, types } = await metrics(t, server);
  assert.ok(samples.size > 10);
  for (const name of samples.keys()) {
    const family = name.replace(/\{.*/, '');
    const base = family.replace(/_(bucket|sum|count)$/, '');
    assert.ok(types.has(family) || types.has(base), `${family} has no TYPE`);
    assert.match(family, /^(freshet|process)_/);
    if (types.get(family) === 'counter') {
      assert.match(family, /_total$/, 'counters end with _total');
    }
  }
});

test('counters count', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const before = await metric(t, server, 'freshet_events_published_total');
  for (let i = 0; i < 3; i++) {
    await publish(t, server, 'a', 'x');
  }
  await stream.take(3);
  assert.equal((await metric(t, server, 'freshet_events_published_total')) - before, 3);
  await until(async () => (await metric(t, server, 'freshet_events_delivered_total')) >= 3, 'deliveries are counted');
  assert.equal(await metric(t, server, 'freshet_subscribers'), 1);
  assert.ok(await metric(t, server, 'freshet_connections') >= 1);
});

test('the name of a topic never becomes a label', async (t) => {
  const server = await serve(t);
  await subscribe(t, server, '/events/very-particular-topic');
  await publish(t, server, 'very-particular-topic', 'x');
  assert.doesNotMatch((await request(t, server, { path: '/metrics' })).body, /very-particular/);
});

test('/api/topics lists what is in use and how many listen', async (t) => {
  const server = await serve(t);
  await subscribe(t, server, '/events?topic=a&topic=room/*');
  await subscribe(t, server, '/events/a');
  await publish(t, server, 'room/1', 'x');
  await untilSubscribers(t, server, 2);
  const topics = new Map((await apiTopics(t, server)).map((topic) => [topic.topic, topic]));
  assert.equal(topics.get('a').subscribers, 2);
  assert.equal(topics.get('room/*').subscribers, 1);
  assert.ok(topics.has('room/1'), 'a topic with history is in use');
});

test('/api/connections says who listens to what, since when, and how far behind', async (t) => {
  const server = await serve(t);
  const before = Date.now();
  await subscribe(t, server, '/events?topic=a&topic=b/**', { headers: { 'user-agent': 'test/1 "quoted"\u00e9' } });
  const [connection, ...others] = await apiConnections(t, server);
  assert.deepEqual(others, []);
  assert.deepEqual(connection.topics, ['a', 'b/**']);
  const since = typeof connection.since === 'number' ? connection.since : Date.parse(connection.since);
  assert.ok(since >= before - 2000 && since <= Date.now() + 2000, `since ${connection.since}`);
  assert.equal(connection.behind, 0);
  assert.match(connection.peer, /^127\.0\.0\.1:\d+$/);
});

test('a connection that does not read is seen to be behind', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  stream.socket.pause();
  await until(async () => {
    await publish(t, server, 'a', 'x'.repeat(500_000));
    return (await apiConnections(t, server))[0].behind > 0;
  }, 'the connection is behind', 30_000);
});

test('the API refuses what it does not do', async (t) => {
  const server = await serve(t);
  assert.equal((await request(t, server, { path: '/api/nothing' })).status, 404);
  assert.equal((await request(t, server, { method: 'DELETE', path: '/api/topics' })).status, 405);
});

test('errors say nothing of the request that could harm a log or a page', async (t) => {
  const server = await serve(t, ['--log-level', 'debug']);
  await request(t, server, { path: '/%3Cscript%3E%1B[31m%0Aforged=1', headers: { 'user-agent': 'x\u001b[2J' } });
  const socket = await connect(t, server);
  socket.send('GET /\x1b[31m HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal((await socket.readResponse()).status, 400);
  await server.stop();
  assert.doesNotMatch(server.stderr, /\x1b/);
  assert.doesNotMatch(server.stderr, /^forged/m);
});

test('--log-format json: every line is an object with time, level and message', async (t) => {
  const server = await serve(t, ['--log-format', 'json', '--log-level', 'debug']);
  await publish(t, server, 'a', 'x');
  await request(t, server, { path: '/"quoted"\\' }).catch(() => {});
  await server.stop();
  const lines = server.stderr.trimEnd().split('\n');
  assert.ok(lines[0] !== '', 'something is logged');
  for (const line of lines) {
    const entry = JSON.parse(line);
    assert.ok(!Number.isNaN(Date.parse(entry.time)), line);
    assert.match(entry.level, /^(error|warn|info|debug)$/);
    assert.equal(typeof entry.message, 'string');
  }
});

test('the log of one line each, and nothing but the address on standard output', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a', 'x');
  await server.stop();
  assert.equal(server.stdout, `listening on ${server.url}\n`);
});

test('--id-file: ids rise after a restart even when the clock was set back', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'id');
  const ahead = Date.now() + 3_600_000;
  writeFileSync(file, `${ahead}-7\n`);
  const server = await serve(t, ['--id-file', file]);
  const id = await publish(t, server, 'a', 'x');
  assert.ok(Number(id.split('-')[0]) > ahead, id);
  await server.stop();
  assert.equal(readFileSync(file, 'utf8'), `${id}\n`);
});

test('--id-file: a file that is something else is refused and left alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'id');
  writeFileSync(file, 'dear diary\n');
  const { status, stderr } = await run(t, ['serve', '--listen', '127.0.0.1:0', '--id-file', file]);
  assert.notEqual(status, 0);
  assert.match(stderr, /not an id file/);
  assert.equal(readFileSync(file, 'utf8'), 'dear diary\n');
});

test('serve --check says whether the settings are fine, and serves nothing', async (t) => {
  const good = await run(t, ['serve', '--check', '--listen', '127.0.0.1:0']);
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /fine/);
  const server = await serve(t);
  const taken = await run(t, ['serve', '--check', '--listen', new URL(server.url).host]);
  assert.equal(taken.status, 0, 'an address that is in use is a fine setting');
  const bad = await run(t, ['serve', '--check', '--listen', '0.0.0.0:0']);
  assert.equal(bad.status, 2);
  assert.match(bad.stderr, /--insecure/);
});
