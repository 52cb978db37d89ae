// --webhook-url: the first listener of a topic, the last, and the end of a connection.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectH2, subscribeH2 } from './harness/h2.mjs';
import {
  backend, bearer, metric, publish, request, rights, run, secret, serve, subscribe, test, token, until,
} from './harness/index.mjs';
import { change, open } from './harness/live.mjs';
import { closePayload, frame, opcodes, openWebSocket, withoutWebSocket } from './harness/ws.mjs';

const skip = await withoutWebSocket();

const key = 'a secret of more than thirty-two bytes for webhooks';
const ok = () => ({ status: 200 });

function secretFile(t, text = `${key}\n`) {
  const dir = mkdtempSync(path.join(tmpdir(), 'freshet-hooks-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const name = path.join(dir, 'secret');
  writeFileSync(name, text);
  return name;
}

// The receiver ends after the server, which has something to tell at its end.
async function telling(t, it, more = [], options) {
  const server = await serve(t, ['--webhook-url', it.url, '--webhook-secret-file', secretFile(t), '--webhook-grace', '0', ...more], options);
  t.after(it.close);
  return server;
}

// All messages that were taken, each once, in order.
function taken(it) {
  return it.questions.filter((question) => question.taken).flatMap((question) => question.body.events);
}

// A receiver that checks every signature, as the manual says.
async function receiver(t, answer = ok) {
  const it = await backend({ after() {} }, (question) => {
    const [, time, mac] = question.headers['freshet-signature'].match(/^t=(\d+),v1=([0-9a-f]{64})$/);
    assert.equal(mac, createHmac('sha256', key).update(`${time}.${question.text}`).digest('hex'));
    assert.ok(Math.abs(Date.now() / 1000 - Number(time)) < 300);
    const reply = it.decide(question);
    question.taken = reply?.status === 200;
    return reply;
  });
  it.decide = answer;
  return it;
}

const of = (it, type) => taken(it).filter((event) => event.type === type).map((event) => event.topic);
const first = (it) => of(it, 'topic.first-listener');
const last = (it) => of(it, 'topic.last-listener');
const ends = (it) => taken(it).filter((event) => event.type === 'connection.ended');

test('the first listener of a topic, over all workers, and the last', async (t) => {
  const it = await receiver(t);
  const server = await telling(t, it, ['--workers', '2']);
  const streams = await Promise.all(Array.from({ length: 20 }, (_, i) =>
    subscribe(t, server, i % 2 ? '/events?topic=a&topic=b' : '/events/a')));
  await until(() => first(it).length === 2, 'both topics are told');
  assert.deepEqual(first(it).sort(), ['a', 'b']);
  streams.slice(1).forEach((stream) => stream.close());
  await until(() => last(it).length === 1 && ends(it).length === 19, 'b has nobody left');
  assert.deepEqual(last(it), ['b']);
  streams[0].close();
  await until(() => last(it).length === 2, 'nor has a');
  await subscribe(t, server, '/events/a');
  await until(() => first(it).length === 3, 'a has one again');
  const events = taken(it);
  const numbers = events.map((event) => Number(event.id.split('-')[1]));
  assert.deepEqual(numbers, numbers.map((_, i) => i + 1), 'no number is missing, and they rise');
  assert.equal(new Set(events.map((event) => event.id.split('-')[0])).size, 1);
  assert.ok(events.every((event) => Math.abs(Date.now() - event.time) < 300000));
});

test('a reconnect says nothing', async (t) => {
  const it = await receiver(t);
  const server = await telling(t, it, ['--webhook-grace', '1h']);
  for (let i = 0; i < 3; i++) {
    const stream = await subscribe(t, server, '/events/a');
    stream.close();
    await until(() => ends(it).length === i + 1, 'it has ended');
  }
  assert.deepEqual(first(it), ['a']);
  assert.deepEqual(last(it), []);
  await server.stop();
  assert.deepEqual(last(it), ['a'], 'at the end of the server nobody listens');
});

test('the end of a connection says which, whose and since when', async (t) => {
  const it = await receiver(t);
  const server = await telling(t, it, [], { env: { FRESHET_JWT_SECRET: secret } });
  const headers = bearer(token(rights(['a', 'b/*'], [], { sub: 'ann' })));
  const stream = await subscribe(t, server, '/events?topic=b/*&topic=a', { headers });
  stream.close();
  await until(() => ends(it).length === 1, 'it is told');
  const [end] = ends(it);
  assert.deepEqual({ ...end.topics.sort() }, { 0: 'a', 1: 'b/*' });
  assert.equal(end.subject, 'ann');
  assert.equal(end.protocol, 'h1');
  assert.match(end.peer, /^127\.0\.0\.1:\d+$/);
  assert.ok(end.connection > 0 && end.opened <= end.time);
});

test('HTTP/2 connections end one by one', async (t) => {
  const it = await receiver(t);
  const server = await telling(t, it);
  const session = await connectH2(t, server);
  const streams = [await subscribeH2(session, '/events/a'), await subscribeH2(session, '/events/b')];
  streams[0].close();
  await until(() => ends(it).length === 1, 'one has ended');
  assert.equal(ends(it)[0].protocol, 'h2');
  session.destroy();
  await until(() => ends(it).length === 2 && last(it).length === 2, 'and the other');
});

test('a stream that changes what it hears is told of by topic', async (t) => {
  const it = await receiver(t);
  const server = await telling(t, it, ['--workers', '1']);
  const stream = await open(t, server, '/events?topic=a&topic=b');
  const other = await open(t, server, '/events/b');
  await change(t, server, stream.name, { add: ['c'], remove: ['a', 'b'] });
  await until(() => first(it).length === 3 && last(it).length === 1, 'the change is told');
  assert.deepEqual(first(it).sort(), ['a', 'b', 'c']);
  assert.deepEqual(last(it), ['a'], 'of b there is another listener, and c is heard');
  stream.close();
  await until(() => ends(it).length === 1, 'the end is told');
  assert.deepEqual(ends(it)[0].topics, ['c'], 'what it heard at the end');
  other.close();
  await until(() => last(it).length === 3, 'nobody listens');
});

test('a WebSocket is a connection as any other', { skip }, async (t) => {
  const it = await receiver(t);
  const server = await telling(t, it, [], { env: { FRESHET_JWT_SECRET: secret } });
  const headers = bearer(token(rights(['a'], [], { sub: 'ann' })));
  const client = await openWebSocket(t, server, '/events/a', { headers });
  client.send(frame(opcodes.CLOSE, closePayload(1000)));
  await until(() => last(it).length === 1 && ends(it).length === 1, 'it is told');
  const [{ protocol, subject, topics }] = ends(it);
  assert.deepEqual({ protocol, subject, topics }, { protocol: 'ws', subject: 'ann', topics: ['a'] });
});

test('polls are listeners, and no connections', async (t) => {
  const it = await receiver(t);
  const server = await telling(t, it);
  const poll = request(t, server, { path: '/events/a?wait=30', headers: { accept: 'application/json' } });
  await until(() => first(it).length === 1, 'it is told');
  await publish(t, server, 'a', 'x');
  assert.equal((await poll).json().length, 1);
  await until(() => last(it).length === 1, 'it has gone');
  await request(t, server, { path: '/events?topic=a&topic=b&last_event_id=earliest&wait=0', headers: { accept: 'application/x-ndjson' } });
  await until(() => ends(it).length > 0, 'a stream that had all that it asked for is told of');
  assert.deepEqual(ends(it).map((end) => end.topics.sort()), [['a', 'b']]);
});

test('what a receiver did not take comes again, in order', async (t) => {
  // It answers an error, then not at all, though it may have taken what came.
  const answers = [{ status: 500 }, undefined];
  const it = await receiver(t, () => (answers.length ? answers.shift() : { status: 200 }));
  const server = await telling(t, it, ['--workers', '1', '--webhook-timeout', '200ms']);
  for (const topic of ['a', 'b', 'c']) {
    await subscribe(t, server, `/events/${topic}`);
  }
  await until(() => first(it).length === 3, 'all are told');
  assert.deepEqual(first(it), ['a', 'b', 'c']);
  const [one, two, three] = it.questions.map((question) => question.body.events.map((event) => event.id));
  assert.deepEqual(two.slice(0, one.length), one, 'the same again, by the same id');
  assert.deepEqual(three.slice(0, two.length), two);
  assert.equal(await metric(t, server, 'freshet_webhook_failures_total'), 2);
  assert.match(server.stderr, /--webhook-url cannot be told: it answers 500/);
});

test('a receiver that is slow holds up nobody, and gets more at a time', async (t) => {
  let open;
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  const it = await receiver(t);
  const answer = it.answer;
  it.answer = async (question) => {
    await opened;
    return answer(question);
  };
  const server = await telling(t, it, ['--workers', '1']);
  for (let i = 0; i < 250; i++) {
    await subscribe(t, server, `/events/${i}`);
  }
  open();
  await until(() => first(it).length === 250, 'all are told');
  assert.deepEqual(first(it), Array.from({ length: 250 }, (_, i) => String(i)));
  assert.equal(it.busiest, 1);
  assert.ok(it.questions.length <= 5, `${it.questions.length} requests`);
});

test('--webhook-queue: what finds no room is counted, and its number is missing', async (t) => {
  const it = await receiver(t, () => ({ status: 503 }));
  const server = await telling(t, it, ['--webhook-queue', '2', '--workers', '1']);
  for (let i = 0; i < 5; i++) {
    await subscribe(t, server, `/events/${i}`);
  }
  assert.equal(await metric(t, server, 'freshet_webhook_dropped_total'), 3);
  it.decide = ok;
  await until(() => first(it).length === 2, 'those who waited are told');
  await subscribe(t, server, '/events/more');
  await until(() => first(it).length === 3, 'and those who come later');
  assert.deepEqual(taken(it).map((event) => Number(event.id.split('-')[1])), [1, 2, 6]);
});

test('the server ends though the receiver never answers', async (t) => {
  const it = await receiver(t, () => undefined);
  const server = await telling(t, it);
  await subscribe(t, server, '/events/a');
  await until(() => it.questions.length === 1, 'it is told');
  await server.stop();
  assert.match(server.stderr, /messages for --webhook-url are lost/);
});

test('settings that make no sense are refused', async (t) => {
  const file = secretFile(t);
  for (const args of [['--webhook-url', 'http://h'], ['--webhook-url', 'ftp://h', '--webhook-secret-file', file],
    ['--webhook-url', 'http://h', '--webhook-secret-file', secretFile(t, 'short')], ['--webhook-url', 'http://h', '--webhook-secret-file', '/none']]) {
    for (const check of [[], ['--check']]) {
      const { status, stderr } = await run(t, ['serve', '--listen', '127.0.0.1:0', ...args, ...check]);
      assert.notEqual(status, 0, args.join(' '));
      assert.match(stderr, /--webhook-/);
    }
  }
});

test('the secret is told to nobody', async (t) => {
  const it = await receiver(t, () => ({ status: 500 }));
  const server = await telling(t, it, ['--log-level', 'debug']);
  await subscribe(t, server, '/events/a');
  await until(() => it.questions.length > 0, 'it is told');
  const { body } = await request(t, server, { path: '/metrics' });
  it.decide = ok;
  await server.stop();
  assert.ok(!`${server.stderr}${server.stdout}${body}${JSON.stringify(it.questions)}`.includes(key));
});
