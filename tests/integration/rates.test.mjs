// Limits of what publishers hand in: so much at once, so much a second, and 429 with Retry-After beyond it.

import assert from 'node:assert/strict';
import {
  assertProblem, connect, limitHits, post, postJson, publish, request, serve, subscribe, test, until,
} from './harness/index.mjs';
import { connectH2, requestH2 } from './harness/h2.mjs';
import { bearer, rights, secret, token } from './harness/tokens.mjs';

// So much at once that what comes by the second meanwhile is nothing beside it.
const burst = 30;
const slowly = ['--rate-burst', String(burst)];

const eventStream = { headers: { 'content-type': 'text/event-stream' } };

function assertTooMuch(response) {
  const problem = assertProblem(response, 429);
  assert.match(response.headers['retry-after'], /^[1-9]\d*$/);
  return problem;
}

// Publishes until it is refused; returns how often it was not, and the refusal.
async function publishUntilRefused(t, server, topic, options, most = 1000) {
  for (let count = 0; count < most; count++) {
    const response = await post(t, server, topic, 'x', options);
    if (response.status !== 200) {
      assertTooMuch(response);
      return { count, response };
    }
  }
  assert.fail(`${most} were published`);
}

async function assertFresh(...of) {
  const { count } = await publishUntilRefused(...of);
  assert.ok(count >= burst, `${count} were published`);
}

// Somebody else has spent the burst.
async function assertSpent(...of) {
  const { count } = await publishUntilRefused(...of);
  assert.ok(count < burst, `${count} were published`);
}

test('--rate-publisher-events: a burst, then 429, and after Retry-After more', async (t) => {
  const server = await serve(t, ['--rate-publisher-events', '1', ...slowly]);
  const stream = await subscribe(t, server, '/events/a');
  const { count, response } = await publishUntilRefused(t, server, 'a');
  assert.ok(count >= burst, `${count} were published`);
  assert.equal(response.headers['retry-after'], '1');
  assert.equal(await limitHits(t, server, 'rate-publisher-events'), 1);
  await until(async () => (await post(t, server, 'a', 'after')).status === 200, 'there is enough again');
  const events = await stream.takeUntil((event) => event.data === 'after');
  assert.equal(events.length, count + 1, 'what was refused was not published');
});

test('--rate-publisher-events counts by subject, and else by address', async (t) => {
  const server = await serve(t, ['--jwt-secret', secret, '--public-publish', 'open', '--rate-publisher-events', '1', ...slowly]);
  const as = (sub) => ({ headers: bearer(token(rights([], ['**'], { sub }))) });
  await assertFresh(t, server, 'a', as('ann'));
  await assertSpent(t, server, 'b', as('ann'));
  await assertFresh(t, server, 'open');
  await assertSpent(t, server, 'open');
  await assertFresh(t, server, 'open', as('ben'));
});

test('--rate-address-events: all of an address together, behind a trusted proxy the client', async (t) => {
  const server = await serve(t, ['--rate-address-events', '1', '--trusted-proxies', '127.0.0.1', ...slowly]);
  const as = (client) => ({ headers: { 'x-forwarded-for': client } });
  await assertFresh(t, server, 'a', as('2001:db8::1'));
  await assertSpent(t, server, 'b', as('2001:db8::2'));
  assert.equal(await limitHits(t, server, 'rate-address-events'), 2);
  await assertFresh(t, server, 'a', as('2001:db8:0:1::1'));
  await assertFresh(t, server, 'a', as('192.0.2.1'));
  await assertFresh(t, server, 'a', as('192.0.2.2'));
});

test('--rate-topic-events: whoever publishes, and to nothing when one of the topics is over it', async (t) => {
  const server = await serve(t, ['--rate-topic-events', '1', ...slowly]);
  await assertFresh(t, server, 'a');
  const statuses = [];
  for (let i = 0; i < 10; i++) {
    statuses.push((await postJson(t, server, { topics: ['b', 'a'], data: 'x' })).status);
  }
  const refused = statuses.filter((status) => status === 429).length;
  assert.ok(refused > 0, `${statuses}`);
  const { count } = await publishUntilRefused(t, server, 'b');
  assert.ok(count >= burst - (10 - refused), 'what was refused has cost the other topic nothing');
  assert.equal(await limitHits(t, server, 'rate-topic-events'), refused + 2);
});

for (const [of, other] of [['publisher', { from: '127.0.0.2' }], ['address', { from: '127.0.0.2' }], ['topic', { topic: 'b' }]]) {
  test(`--rate-${of}-bytes: what is large counts more, and the largest waits for a full bucket`, async (t) => {
    const server = await serve(t, [`--rate-${of}-bytes`, '1000', '--rate-burst', '10']);
    assert.equal((await post(t, server, 'a', 'x'.repeat(100_000))).status, 200);
    const refused = await post(t, server, 'a', 'x');
    assertTooMuch(refused);
    assert.ok(Number(refused.headers['retry-after']) > 80, refused.headers['retry-after']);
    assert.equal(await limitHits(t, server, `rate-${of}-bytes`), 1);
    const socket = await connect(t, server, { localAddress: other.from });
    socket.send(`POST /events/${other.topic ?? 'a'} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx`);
    assert.equal((await socket.readResponse()).status, 200);
  });
}

test('a batch is answered item by item, and what was refused may be sent again', async (t) => {
  const server = await serve(t, ['--rate-topic-events', '1', ...slowly]);
  const stream = await subscribe(t, server, '/events?topic=a&topic=b');
  const batch = [...Array(2 * burst).keys()].map((i) => ({ topic: 'a', data: String(i) }));
  const response = await postJson(t, server, [...batch, { topic: 'b', data: 'end' }]);
  assert.equal(response.status, 200);
  const items = response.json();
  assert.ok(items.slice(0, burst).every((item) => item.id), response.body);
  assert.ok(items.at(-1).id, 'another topic is not concerned');
  const refused = items.filter((item) => !item.id);
  assert.ok(refused.length > 0, response.body);
  for (const item of refused) {
    assert.equal(item.status, 429);
    assert.match(item.error, /Retry-After/);
    assert.ok(item.retry_after >= 1);
  }
  const taken = batch.filter((_, i) => items[i].id).map(({ data }) => data);
  assert.deepEqual((await stream.takeUntil((event) => event.data === 'end')).map((event) => event.data), [...taken, 'end']);
  await assertSpent(t, server, 'a');
});

test('an event stream is answered with 429 at the first event that is too much, and says how many were not', async (t) => {
  const server = await serve(t, ['--rate-publisher-events', '1', ...slowly]);
  const stream = await subscribe(t, server, '/events/a');
  const body = [...Array(100).keys()].map((i) => `data: ${i}\n\n`).join('');
  const { detail } = assertTooMuch(await post(t, server, 'a', body, eventStream));
  const published = Number(detail.match(/(\d+) events before it were published/)[1]);
  assert.ok(published >= burst && published < 100, detail);
  assert.deepEqual((await stream.take(published)).map((event) => event.data), [...Array(published).keys()].map(String));
  stream.assertQuiet();
});

test('an event stream that keeps to the rate goes on', async (t) => {
  const server = await serve(t, ['--rate-publisher-events', '1000', '--rate-burst', '1']);
  const stream = await subscribe(t, server, '/events/a');
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let i = 0; i < 50; i++) {
    socket.send('9\r\ndata: x\n\n\r\n');
    await stream.next();
  }
  socket.send('0\r\n\r\n');
  assert.equal((await socket.readResponse()).json().published, 50);
});

test('rates hold over HTTP/2, and over all workers', async (t) => {
  const server = await serve(t, ['--rate-publisher-events', '1', '--workers', '4', ...slowly]);
  const sessions = await Promise.all(Array.from({ length: 8 }, () => connectH2(t, server)));
  const answers = await Promise.all(sessions.flatMap((session) =>
    Array.from({ length: 20 }, () => requestH2(session, { method: 'POST', path: '/events/a', body: 'x' }))));
  const taken = answers.filter(({ status }) => status === 200).length;
  assert.ok(answers.every(({ status }) => [200, 429].includes(status)));
  assert.ok(taken >= burst && taken < 4 * burst, `${taken} of 160 were published`);
  assert.ok(answers.filter(({ status }) => status === 429).every(({ headers }) => headers['retry-after'] >= '1'));
});

test('a repetition with the same key after 429 is published once', async (t) => {
  const server = await serve(t, ['--rate-publisher-events', '1', '--rate-burst', '1']);
  const stream = await subscribe(t, server, '/events/a');
  await publishUntilRefused(t, server, 'a');
  const again = { headers: { 'idempotency-key': 'k' } };
  let response;
  do {
    response = await post(t, server, 'a', 'keyed', again);
  } while (response.status === 429);
  assert.equal(response.status, 200);
  assert.equal((await stream.takeUntil((event) => event.data === 'keyed')).filter((event) => event.data === 'keyed').length, 1);
});

test('without a limit nothing is refused', async (t) => {
  const server = await serve(t, ['--rate-burst', '1']);
  const items = (await postJson(t, server, Array.from({ length: 2000 }, () => ({ topic: 'a', data: 'x' })))).json();
  assert.ok(items.every((item) => item.id));
  assert.equal((await request(t, server, { path: '/healthz' })).status, 200);
});
