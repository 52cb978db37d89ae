// --auth-url and streams that are open: what they hear besides, what is said on them, and how they end.

import assert from 'node:assert/strict';
import {
  assertProblem, backend, bearer, connect, post, publish, request, rights, secret, serve, subscribe, test, token, until,
} from './harness/index.mjs';
import { connectH2, requestH2, subscribeH2 } from './harness/h2.mjs';
import { ask, change, named, next, open, pathOf } from './harness/live.mjs';
import { handshake, openWebSocket, openWebSocketH2, withoutWebSocket } from './harness/ws.mjs';

const skip = await withoutWebSocket();
const yes = () => ({ status: 204 });
const no = () => ({ status: 403 });
const json = (value) => ({ status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });
const asking = (t, it, more = [], options) => serve(t, ['--auth-url', it.url, ...more], options);
const withKeys = { env: { FRESHET_JWT_SECRET: secret } };
const listenTo = (...topics) => ({ action: 'subscribe', topics, address: '127.0.0.1' });

// What was asked since the last time.
function asked(it) {
  return it.questions.splice(0).map(({ body, headers }) => ({ ...body, cookie: headers.cookie }));
}

// A promise that is settled from outside.
function gate() {
  let begin;
  const begun = new Promise((resolve) => {
    begin = resolve;
  });
  return { begin, begun };
}

// /metrics is for administrators once there are rules.
async function gauge(t, server, name) {
  const { body } = await request(t, server, { path: '/metrics', headers: bearer(token({ freshet: { admin: true } })) });
  return Number(body.split('\n').find((line) => line.startsWith(`${name} `)).split(' ')[1]);
}

test('a topic that joins an open stream is asked about', async (t) => {
  const it = await backend(t, yes);
  const server = await asking(t, it);
  const stream = await open(t, server, '/events/a');
  asked(it);
  const cookie = { cookie: 'session=ann', 'content-type': 'application/json' };
  const first = await ask(t, server, stream.name, { add: ['b', 'c/*'] }, cookie);
  assert.deepEqual(first.json().topics, ['a', 'b', 'c/*']);
  assert.deepEqual(asked(it), [{ ...listenTo('b', 'c/*'), cookie: 'session=ann' }]);
  it.answer = no;
  assert.match(assertProblem(await ask(t, server, stream.name, { add: ['d'], remove: ['a'] }, cookie), 403).detail, /`d`/);
  it.answer = () => json({ subscribe: ['d'] });
  assert.match(assertProblem(await ask(t, server, stream.name, { add: ['d', 'e'] }, cookie), 403).detail, /`e`/);
  it.answer = () => ({ status: 401 });
  assertProblem(await ask(t, server, stream.name, { add: ['d'] }, cookie), 401);
  it.answer = () => ({ status: 500 });
  const later = await ask(t, server, stream.name, { add: ['d'] }, cookie);
  assertProblem(later, 503);
  assert.ok(Number(later.headers['retry-after']) > 0);
  asked(it);
  // Nothing was changed by those, and to hear less is nobody's business.
  assert.deepEqual((await change(t, server, stream.name, { remove: ['c/*'] })).topics, ['a', 'b']);
  assert.deepEqual(asked(it), []);
  it.answer = yes;
  const id = await publish(t, server, 'b', 'x');
  assert.equal((await next(stream)).id, id);
});

test('a change over HTTP/2 is asked about, and one that grants nothing new is not', async (t) => {
  const it = await backend(t, (question) => (question.body.topics.includes('no') ? no() : yes()));
  const server = await asking(t, it, ['--public-subscribe', 'open'], withKeys);
  const session = await connectH2(t, server);
  const stream = await named(await subscribeH2(session, '/events/a?control=1'));
  const say = (body, headers = {}) => requestH2(session, { method: 'POST', path: pathOf(stream.name), headers, body: JSON.stringify(body) });
  assert.deepEqual((await say({ add: ['b'] })).json().topics, ['a', 'b']);
  assert.equal((await say({ add: ['no'] })).status, 403);
  asked(it);
  const ann = bearer(token(rights(['mine'], [], { sub: 'ann' })));
  assert.deepEqual((await say({ add: ['open', 'mine'] }, ann)).json().topics, ['a', 'b', 'mine', 'open']);
  assert.deepEqual(asked(it), []);
});

test('a stream that ends while a change of it is asked about is gone', async (t) => {
  const { begin, begun } = gate();
  const it = await backend(t, async (question) => {
    await (question.body.topics[0] === 'b' && begun);
    return yes();
  });
  const server = await asking(t, it, [], withKeys);
  const stream = await open(t, server, '/events/a');
  const answer = ask(t, server, stream.name, { add: ['b'] });
  await until(() => it.questions.length === 2, 'it is asked about');
  stream.close();
  await until(async () => (await gauge(t, server, 'freshet_subscribers')) === 0, 'nobody listens');
  begin();
  assertProblem(await answer, 404);
});

test('a stream ends when the right to what was added ends', async (t) => {
  const it = await backend(t, (question) => (question.body.topics[0] === 'a' ? yes() : json({ expires_in: 2 })));
  const server = await asking(t, it);
  const stream = await open(t, server, '/events/a');
  const other = await open(t, server, '/events/a');
  await change(t, server, stream.name, { add: ['b'] });
  let told;
  do {
    told = await stream.next();
  } while (told.event === 'freshet.caught-up');
  assert.equal(told.event, 'freshet.expiring');
  await until(() => stream.ended, 'the stream ends');
  assert.ok(!other.ended);
});

test('without keys there is nothing to renew, and no ticket', async (t) => {
  const it = await backend(t, yes);
  const server = await asking(t, it);
  const stream = await open(t, server, '/events/a');
  const headers = bearer('of-the-backends-own');
  const renewal = await request(t, server, { method: 'POST', path: `/api/connections/${stream.name}/token`, headers });
  assert.match(assertProblem(renewal, 404).detail, /--auth-url/);
  assertProblem(await request(t, server, { method: 'POST', path: '/api/tickets', headers }), 404);
});

test('a WebSocket is asked about, and what it says with the head of its handshake', { skip }, async (t) => {
  const it = await backend(t, (question) => (question.headers.cookie === 'session=ann' ? yes() : no()));
  const server = await asking(t, it);
  const headers = { cookie: 'session=ann' };
  const client = await openWebSocket(t, server, '/events/a', { headers });
  assert.deepEqual(asked(it), [{ ...listenTo('a'), cookie: 'session=ann' }]);
  client.say({ ref: 1, publish: { topic: 'b', data: 'x' } });
  assert.ok((await client.answer()).published.id);
  client.say({ ref: 2, add: ['b'] });
  assert.deepEqual((await client.answer()).changed.topics, ['a', 'b']);
  assert.deepEqual(asked(it), [{ action: 'publish', topics: ['b'], address: '127.0.0.1', cookie: 'session=ann' }, { ...listenTo('b'), cookie: 'session=ann' }]);
  it.answer = no;
  client.say({ ref: 3, publish: { topic: 'b', data: 'y' } });
  client.say({ ref: 4, add: ['c'] });
  for (const answer of [await client.answer(), await client.answer()].sort((one, two) => one.ref - two.ref)) {
    assert.equal(answer.error.status, 403, JSON.stringify(answer));
    assert.match(answer.error.detail, answer.ref === 3 ? /`b`/ : /`c`/);
  }
  it.answer = yes;
  const id = await post(t, server, 'b', 'z').then((response) => response.json().id);
  assert.equal((await client.json()).id, id);
});

test('a WebSocket over HTTP/2 is asked about', { skip }, async (t) => {
  const it = await backend(t, yes);
  const server = await asking(t, it);
  const session = await connectH2(t, server);
  const client = await openWebSocketH2(session, '/events/a', { cookie: 'session=ann' });
  client.say({ ref: 1, publish: { topic: 'b', data: 'x' } });
  assert.ok((await client.answer()).published.id);
  assert.deepEqual(asked(it).map(({ action, cookie }) => [action, cookie]), [['subscribe', 'session=ann'], ['publish', 'session=ann']]);
});

test('a WebSocket that may not, or of which nobody knows, is refused as such', { skip }, async (t) => {
  const it = await backend(t, no);
  const server = await asking(t, it);
  const shake = async (headers) => {
    const socket = await connect(t, server);
    socket.send(handshake(server, '/events/a', headers));
    return socket.readResponse();
  };
  assertProblem(await shake(), 403);
  it.answer = () => ({ status: 500 });
  const later = await shake({ accept: 'text/event-stream' });
  assertProblem(later, 503);
  assert.ok(Number(later.headers['retry-after']) > 0);
  asked(it);
  // What would be refused anyhow is not asked about.
  assertProblem(await shake({ 'sec-websocket-key': 'short' }), 400);
  assertProblem(await shake({ origin: 'https://evil.example', cookie: 'session=ann' }), 403);
  assert.deepEqual(asked(it), []);
});

test('what a WebSocket has asked ends with it', { skip }, async (t) => {
  const it = await backend(t, (question) => (question.body.action === 'subscribe' ? yes() : undefined));
  const server = await asking(t, it, ['--auth-timeout', '60s', '--public-subscribe', 'open'], withKeys);
  const client = await openWebSocket(t, server, '/events/open');
  for (let i = 0; i < 3; i++) {
    client.say({ ref: i, publish: { topic: 'b', data: `${i}` } });
  }
  await until(async () => (await gauge(t, server, 'freshet_auth_waiting')) === 3, 'they wait');
  client.socket.close();
  await until(async () => (await gauge(t, server, 'freshet_auth_waiting')) === 0, 'they are gone');
  await subscribe(t, server, '/events/open');
});

test('of what a WebSocket has asked, no more is kept than one message has', { skip }, async (t) => {
  const { begin, begun } = gate();
  const it = await backend(t, async (question) => {
    await (question.body.action === 'publish' && begun);
    return yes();
  });
  const server = await asking(t, it, ['--max-body', '64k', '--auth-timeout', '60s']);
  const client = await openWebSocket(t, server, '/events/a');
  const say = (ref) => client.say({ ref, publish: { topic: 'b', data: 'x'.repeat(40_000) } });
  say(1);
  say(2);
  const refused = await client.answer();
  assert.deepEqual([refused.ref, refused.error.status], [2, 429]);
  begin();
  assert.ok((await client.answer()).published.id);
  say(3);
  assert.ok((await client.answer()).published.id);
});
