// Limits for each address, subject and topic: who is beyond one is told to come back, and others are not concerned.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  assertProblem, connect, limitHits, post, publish, request, serve, subscribe, subscribeHead, test, until, untilSubscribers,
} from './harness/index.mjs';
import { connectH2, requestH2, subscribeH2 } from './harness/h2.mjs';
import { ask, change, open } from './harness/live.mjs';
import { bearer, rights, secret, token } from './harness/tokens.mjs';

// A listener that is turned away: 200, a time to come back after, and a close, so that an EventSource does.
async function assertTurnedAway(t, server, path, options) {
  const socket = await connect(t, server, options?.from && { localAddress: options.from });
  socket.send(subscribeHead(server, path, options));
  const head = await socket.readHead();
  assert.equal(head.status, 200);
  assert.match(head.headers['content-type'], /^text\/event-stream/);
  assert.match(head.headers['retry-after'], /^\d+$/);
  assert.match(await socket.readToEnd(), /^:\nretry: \d+\n$/);
}

// One that is not.
async function listen(t, server, path, options) {
  const stream = await subscribe(t, server, path, options);
  assert.equal(stream.head.headers['retry-after'], undefined);
  return stream;
}

async function listenFrom(t, server, localAddress, path) {
  const socket = await connect(t, server, { localAddress });
  socket.send(subscribeHead(server, path));
  assert.equal((await socket.readHead()).headers['retry-after'], undefined);
  return socket;
}

const healthz = 'GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n';

test('--max-connections-per-address: one too many is closed, another address is not concerned', async (t) => {
  const server = await serve(t, ['--max-connections-per-address', '2', '--workers', '2']);
  const held = [await connect(t, server), await connect(t, server)];
  for (const socket of held) {
    socket.send(healthz);
    assert.equal((await socket.readResponse()).status, 200);
  }
  const refused = await connect(t, server);
  assert.equal(await refused.readToEnd(), '');
  const other = await connect(t, server, { localAddress: '127.0.0.2' });
  other.send(healthz);
  assert.equal((await other.readResponse()).status, 200);
  held[0].close();
  await until(async () => (await request(t, server, { path: '/healthz' }).catch(() => ({}))).status === 200, 'there is room again');
  held[1].close();
  assert.ok(await until(() => limitHits(t, server, 'max-connections-per-address').catch(() => 0), 'the hit is counted'));
});

test('--max-connections-per-address counts a stream until it ends', async (t) => {
  const server = await serve(t, ['--max-connections-per-address', '2']);
  const stream = await listen(t, server, '/events/a');
  for (let i = 0; i < 20; i++) {
    await until(async () => (await post(t, server, 'a', String(i)).catch(() => ({}))).status === 200, 'it is published');
  }
  assert.equal((await stream.take(20)).at(-1).data, '19');
  stream.close();
  await until(async () => {
    const pair = [await connect(t, server), await connect(t, server)];
    pair.forEach((socket) => socket.send(healthz));
    const answers = await Promise.all(pair.map((socket) => socket.readResponse().catch(() => ({}))));
    pair.forEach((socket) => socket.close());
    return answers.every((answer) => answer.status === 200);
  }, 'there is room for two again');
});

test('--max-connections-per-address: trusted proxies are not limited, and those whom they name by PROXY are', async (t) => {
  const plain = await serve(t, ['--max-connections-per-address', '1', '--trusted-proxies', '127.0.0.1']);
  await Promise.all(Array.from({ length: 5 }, () => listen(t, plain, '/events/a')));
  await untilSubscribers(t, plain, 5);

  const server = await serve(t, ['--listen', '127.0.0.1:0;proxy', '--trusted-proxies', '127.0.0.1', '--max-connections-per-address', '1']);
  const [, , behind] = await server.output(/^listening on (\S+)\nlistening on http:\/\/127\.0\.0\.1:(\d+)/m);
  const proxy = { port: Number(behind) };
  const from = async (client) => {
    const socket = await connect(t, proxy);
    socket.send(`PROXY TCP4 ${client} 192.0.2.254 1000 80\r\n${healthz}`);
    return socket;
  };
  const first = await from('192.0.2.1');
  assert.equal((await first.readResponse()).status, 200);
  assert.equal(await (await from('192.0.2.1')).readToEnd().catch(() => ''), '');
  assert.equal((await (await from('192.0.2.2')).readResponse()).status, 200);
});

test('the other ends of a Unix socket have no address, and are not limited by it', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'freshet-quotas-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 's');
  const server = await serve(t, ['--listen', `unix:${path}`, '--max-connections-per-address', '1', '--max-listeners-per-address', '1']);
  await Promise.all(Array.from({ length: 3 }, () => listen(t, { path }, '/events/a')));
  await untilSubscribers(t, server, 3);
});

test('--max-listeners-per-address: a listener too many is told to come back, and may', async (t) => {
  const server = await serve(t, ['--max-listeners-per-address', '2', '--workers', '2']);
  const held = [await listen(t, server, '/events/a'), await listen(t, server, '/events/b')];
  await assertTurnedAway(t, server, '/events/a');
  const problem = await request(t, server, { path: '/events/a?wait=5', headers: { accept: 'application/json' } });
  assertProblem(problem, 503);
  assert.match(problem.headers['retry-after'], /^\d+$/);
  await listenFrom(t, server, '127.0.0.2', '/events/a');
  assert.equal(await limitHits(t, server, 'max-listeners-per-address'), 2);
  await publish(t, server, 'a', 'still here'); // publishing is something else
  assert.equal((await held[0].next()).data, 'still here');
  held[0].close();
  await untilSubscribers(t, server, 2);
  await listen(t, server, '/events/a');
});

test('--max-listeners-per-address: polls count while they last, HEAD does not', async (t) => {
  const server = await serve(t, ['--max-listeners-per-address', '1']);
  const json = { accept: 'application/json' };
  for (let i = 0; i < 3; i++) {
    assert.equal((await request(t, server, { path: '/events/a', headers: json })).status, 200);
  }
  const waiting = request(t, server, { path: '/events/a?wait=60', headers: json });
  await untilSubscribers(t, server, 1);
  await assertTurnedAway(t, server, '/events/a');
  assert.equal((await request(t, server, { method: 'HEAD', path: '/events/a' })).status, 200);
  await publish(t, server, 'a', 'x');
  assert.equal((await waiting).json()[0].data, 'x');
  await listen(t, server, '/events/a');
});

test('--max-listeners-per-address: behind a trusted proxy each client counts for itself, an IPv6 network as one', async (t) => {
  const server = await serve(t, ['--max-listeners-per-address', '1', '--trusted-proxies', '127.0.0.1']);
  const as = (client) => ({ headers: { 'x-forwarded-for': client } });
  await listen(t, server, '/events/a', as('192.0.2.1'));
  await listen(t, server, '/events/a', as('192.0.2.2'));
  await assertTurnedAway(t, server, '/events/a', as('192.0.2.1'));
  await listen(t, server, '/events/a', as('2001:db8:0:1::1'));
  await assertTurnedAway(t, server, '/events/a', as('2001:db8:0:1:ffff::2'));
  await listen(t, server, '/events/a', as('2001:db8:0:2::1'));
});

test('--max-listeners-per-address counts the streams of an HTTP/2 connection', async (t) => {
  const server = await serve(t, ['--max-listeners-per-address', '2', '--max-connections-per-address', '1', '--trusted-proxies', '127.0.0.9']);
  const session = await connectH2(t, server);
  const first = await subscribeH2(session, '/events/a');
  await subscribeH2(session, '/events/a');
  const refused = await requestH2(session, { path: '/events/a', headers: { accept: 'text/event-stream' } });
  assert.equal(refused.status, 200);
  assert.match(refused.body, /^:\nretry: \d+\n$/);
  first.close();
  await until(async () => {
    const stream = await subscribeH2(session, '/events/a');
    await stream.wait(() => stream.ended || stream.retries.length > 0, 'the start');
    return stream.head['retry-after'] === undefined;
  }, 'there is room again');
});

test('--max-listeners-per-subject: whoever has the same subject shares, wherever they are', async (t) => {
  const server = await serve(t, ['--jwt-secret', secret, '--max-listeners-per-subject', '1', '--public-subscribe', 'open']);
  const as = (sub) => ({ headers: bearer(token(rights(['a'], [], sub ? { sub } : {}))) });
  const ann = await listen(t, server, '/events/a', as('ann'));
  await assertTurnedAway(t, server, '/events/a', { ...as('ann'), from: '127.0.0.2' });
  await listen(t, server, '/events/a', as('ben'));
  for (let i = 0; i < 3; i++) { // without a subject there is nothing to count by
    await listen(t, server, '/events/a', as(undefined));
    await listen(t, server, '/events/open');
  }
  ann.close();
  await until(async () => {
    const stream = await subscribe(t, server, '/events/a', as('ann'));
    return stream.head.headers['retry-after'] === undefined;
  }, 'there is room for ann again');
});

test('--max-listeners-per-topic: a topic or pattern has so many listeners, each counted once', async (t) => {
  const server = await serve(t, ['--max-listeners-per-topic', '2']);
  const first = await listen(t, server, '/events?topic=a&topic=a&topic=b');
  await listen(t, server, '/events/a');
  await assertTurnedAway(t, server, '/events/a');
  await assertTurnedAway(t, server, '/events?topic=c&topic=a'); // and takes nothing of c
  await listen(t, server, '/events/c');
  await listen(t, server, '/events/c');
  await listen(t, server, '/events/b');
  for (let i = 0; i < 2; i++) {
    await listen(t, server, `/events/${encodeURIComponent('*')}`); // a pattern is counted as itself
  }
  await assertTurnedAway(t, server, `/events/${encodeURIComponent('*')}`);
  first.close();
  await untilSubscribers(t, server, 6);
  await listen(t, server, '/events/a');
  assert.equal(await limitHits(t, server, 'max-listeners-per-topic'), 3);
});

test('--max-listeners-per-topic counts what is added later, and what is dropped no more', async (t) => {
  const server = await serve(t, ['--max-listeners-per-topic', '1']);
  const first = await open(t, server, '/events/a');
  const second = await open(t, server, '/events?topic=b&topic=d');
  await change(t, server, first.name, { add: ['c'] });
  // All of it or nothing: `e` is free, `c` is not.
  const refused = assertProblem(await ask(t, server, second.name, { add: ['e', 'c'], remove: ['b'] }), 503);
  assert.match(refused.detail, /nothing was changed/);
  await assertTurnedAway(t, server, '/events/b');
  await change(t, server, first.name, { add: ['e'], remove: ['c'] });
  assert.deepEqual((await change(t, server, second.name, { add: ['c', 'd'], remove: ['b'] })).topics, ['c', 'd']);
  const third = await listen(t, server, '/events/b');
  for (const topic of ['a', 'b', 'c', 'd', 'e']) {
    await assertTurnedAway(t, server, `/events/${topic}`);
  }
  first.close();
  second.close();
  await untilSubscribers(t, server, 1);
  await listen(t, server, '/events?topic=a&topic=c&topic=d&topic=e');
  await assertTurnedAway(t, server, '/events/b');
  third.close();
  assert.equal(await limitHits(t, server, 'max-listeners-per-topic'), 8);
});
