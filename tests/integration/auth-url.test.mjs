// --auth-url: a backend decides who may listen and publish. Each rule with its refused twin.

import assert from 'node:assert/strict';
import { connectH2, requestH2, beginH2, subscribeH2 } from './harness/h2.mjs';
import {
  assertProblem, backend, bearer, connect, post, postJson, publish, request, rights, run, secret, serve,
  subscribe, test, token, until,
} from './harness/index.mjs';

const yes = () => ({ status: 204 });
const no = () => ({ status: 403 });
const json = (value, headers = {}) => ({ status: 200, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) });
const asking = (t, it, more = [], options) => serve(t, ['--auth-url', it.url, ...more], options);
const get = (t, server, path, headers = {}) => request(t, server, { path, headers: { accept: 'application/json', ...headers } });
const admin = bearer(token({ freshet: { admin: true } }));
const withKeys = { env: { FRESHET_JWT_SECRET: secret } };

// /metrics is for administrators once there are rules.
async function count(t, server, name) {
  const response = await request(t, server, { path: '/metrics', headers: admin });
  assert.equal(response.status, 200, response.body);
  const line = response.body.split('\n').find((text) => text.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

// A promise that is settled from outside.
function gate() {
  let open;
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test('the backend is told what is asked for, and by whom', async (t) => {
  const it = await backend(t, yes);
  const server = await asking(t, it);
  const headers = { cookie: 'session=ann', authorization: 'Bearer of-the-backends-own', 'x-secret': 'not passed on' };
  await subscribe(t, server, '/events?topic=a&topic=b/*&topic=a', { headers });
  await publish(t, server, 'c', 'x', { headers });
  assert.deepEqual(it.questions.map((question) => question.body), [
    { action: 'subscribe', topics: ['a', 'b/*'], address: '127.0.0.1' }, { action: 'publish', topics: ['c'], address: '127.0.0.1' }]);
  for (const question of it.questions) {
    assert.equal(question.method, 'POST');
    assert.equal(question.path, '/auth');
    assert.equal(question.headers['content-type'], 'application/json');
    assert.equal(question.headers.cookie, 'session=ann');
    assert.equal(question.headers.authorization, 'Bearer of-the-backends-own');
    assert.equal(question.headers['x-secret'], undefined);
  }
});

test('only headers on the list are passed on', async (t) => {
  const it = await backend(t, yes);
  const server = await asking(t, it, ['--auth-forward', 'X-Key', '--auth-forward', 'x-other']);
  await get(t, server, '/events/a', { cookie: 'session=ann', 'x-KEY': '1', 'x-other': 'é' });
  assert.equal(it.questions[0].headers['x-key'], '1');
  assert.ok(it.questions[0].headers['x-other']);
  assert.equal(it.questions[0].headers.cookie, undefined);
});

test('who is refused is told so', async (t) => {
  const it = await backend(t, no);
  const server = await asking(t, it);
  for (const response of [await get(t, server, '/events/a'), await post(t, server, 'a', 'x'),
    await postJson(t, server, { topic: 'a', data: 'x' }), await request(t, server, { path: '/events/a', headers: { accept: 'text/event-stream' } }),
    await post(t, server, 'a', 'data: x\n\n', { headers: { 'content-type': 'text/event-stream' } })]) {
    const problem = assertProblem(response, 403);
    assert.ok(problem.detail.includes('`a`'), problem.detail);
  }
  it.answer = () => ({ status: 401 });
  for (const response of [await get(t, server, '/events/a'), await post(t, server, 'a', 'x'), await postJson(t, server, { topic: 'a', data: 'x' })]) {
    assertProblem(response, 401);
    assert.match(response.headers['www-authenticate'], /^Bearer/);
  }
  it.answer = yes;
  assert.equal((await get(t, server, '/events/a?last_event_id=earliest')).body, '[]');
});

test('an answer may say less than yes', async (t) => {
  const it = await backend(t, () => json({ subscribe: ['rooms/*'], publish: ['rooms/1'] }));
  const server = await asking(t, it);
  assert.equal((await get(t, server, '/events?topic=rooms/1&topic=rooms/2')).status, 200);
  const problem = assertProblem(await get(t, server, '/events?topic=rooms/1&topic=secret'), 403);
  assert.ok(problem.detail.includes('`secret`'), problem.detail);
  await publish(t, server, 'rooms/1', 'x');
  assertProblem(await post(t, server, 'rooms/2', 'x'), 403);
  it.answer = () => json({ subscribe: [] });
  assertProblem(await get(t, server, '/events/rooms/1'), 403);
  assert.equal((await post(t, server, 'rooms/1', 'x')).status, 200);
  it.answer = () => json({});
  assert.equal((await get(t, server, '/events/rooms/1')).status, 200);
});

test('of a list of events, each is looked at by itself, and the backend is asked once', async (t) => {
  const it = await backend(t, () => json({ publish: ['a', 'b'] }));
  const server = await asking(t, it);
  const events = [{ topic: 'a', data: '1' }, { topic: 'c', data: '2' }, { topics: ['a', 'c'], data: '3' }, { topics: ['a', 'b'], data: '4' }];
  const response = await postJson(t, server, events);
  assert.deepEqual(response.json().map((item) => item.status), [undefined, 403, 403, undefined]);
  assert.deepEqual(it.questions.map((question) => question.body.topics), [['a', 'c', 'b']]);
  it.answer = yes;
  const stored = (await get(t, server, '/events/**?last_event_id=earliest')).json();
  assert.deepEqual(stored.map((event) => event.data), ['1', '4']);
  const lines = await postJson(t, server, events.map((event) => JSON.stringify(event)).join('\n'), 'application/x-ndjson');
  assert.deepEqual(lines.json().map((item) => item.status), [undefined, undefined, undefined, undefined]);
});

test('what a token grants, and what is open to all, is not asked about', async (t) => {
  const it = await backend(t, no);
  const server = await asking(t, it, ['--public-subscribe', 'open/*'], withKeys);
  const ann = bearer(token(rights(['mine'], ['mine'], { sub: 'ann' })));
  assert.equal((await get(t, server, '/events/open/1')).status, 200);
  assert.equal((await get(t, server, '/events/mine', ann)).status, 200);
  await publish(t, server, 'mine', 'x', { headers: ann });
  assert.equal(it.questions.length, 0);
  assertProblem(await get(t, server, '/events/mine', bearer('nonsense')), 401);
  assert.equal(it.questions.length, 0);
  it.answer = yes;
  assert.equal((await get(t, server, '/events?topic=mine&topic=theirs', ann)).status, 200);
  assert.deepEqual(it.questions.map((question) => question.body), [{ action: 'subscribe', topics: ['theirs'], address: '127.0.0.1', subject: 'ann' }]);
});

test('a stream ends when its answer says so', async (t) => {
  const it = await backend(t, () => json({ expires_in: 1 }));
  const server = await asking(t, it);
  const stream = await subscribe(t, server, '/events/a');
  await until(() => stream.ended, 'the stream ends');
});

test('cookies of a page of another site are not passed on', async (t) => {
  const it = await backend(t, yes);
  const server = await asking(t, it, ['--cors-origin', 'https://good.example']);
  const cookie = 'session=ann';
  await get(t, server, '/events/a', { cookie, origin: 'https://evil.example' });
  await get(t, server, '/events/a', { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }); // a link there
  assertProblem(await get(t, server, '/events/a', { cookie, 'sec-fetch-site': 'cross-site' }), 403); // nobody is asked
  assertProblem(await post(t, server, 'a', 'x', { headers: { cookie, origin: 'https://evil.example' } }), 403); // whoever it is
  await get(t, server, '/events/a', { cookie, origin: 'https://good.example' });
  await get(t, server, '/events/a', { cookie, 'sec-fetch-site': 'same-origin' });
  assert.deepEqual(it.questions.map((question) => question.headers.cookie), [undefined, undefined, cookie, cookie]);
});

test('what is no answer lets nobody in, and a listener comes back', async (t) => {
  const it = await backend(t, yes);
  const server = await asking(t, it, ['--auth-timeout', '200ms']);
  const bad = {
    'nothing': () => undefined,
    'a page for people': () => ({ status: 200, body: '<html>Please log in</html>' }),
    'a redirect': () => ({ status: 302, headers: { location: it.url } }),
    'an error': () => ({ status: 500 }),
    'something else': () => ({ status: 201 }),
    'too much': () => json({ more: 'x'.repeat(20000) }),
    'no object': () => json(['a']),
    'no list': () => json({ subscribe: 'a', publish: 'a' }),
    'a list of numbers': () => json({ subscribe: [1], publish: [1] }),
    'the same twice': () => ({ status: 200, body: '{"subscribe":["a"],"publish":["a"],"subscribe":[],"publish":[]}' }),
    'a bad name': () => json({ subscribe: [''], publish: ['a//\u0000'] }),
    'a bad time': () => json({ expires_in: -1 }),
    'a bad subject': () => json({ sub: {} }),
  };
  for (const [name, answer] of Object.entries(bad)) {
    it.answer = answer;
    const before = it.questions.length;
    const listener = await connect(t, server);
    listener.send('GET /events/a HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n');
    assert.equal((await listener.readHead()).status, 200, name);
    assert.match(await listener.readToEnd(), /^:\nretry: \d+\n$/, name);
    const poll = await get(t, server, '/events/a');
    assertProblem(poll, 503);
    assert.ok(Number(poll.headers['retry-after']) > 0, name);
    const publisher = await post(t, server, 'a', 'x');
    assertProblem(publisher, 503);
    assert.ok(Number(publisher.headers['retry-after']) > 0, name);
    assertProblem(await postJson(t, server, { topic: 'a', data: 'x' }), 503);
    assert.equal(it.questions.length, before + 4, name);
  }
  await it.close();
  assertProblem(await get(t, server, '/events/a'), 503);
  assert.match(server.stderr, /--auth-url cannot be asked/);
});

test('with --auth-on-failure allow, what is no answer lets in', async (t) => {
  const it = await backend(t, () => ({ status: 500 }));
  const server = await asking(t, it, ['--auth-on-failure', 'allow']);
  assert.equal((await get(t, server, '/events/a')).status, 200);
  await publish(t, server, 'a', 'x');
  it.answer = no;
  assertProblem(await get(t, server, '/events/a'), 403);
  assertProblem(await post(t, server, 'a', 'x'), 403);
});

test('a thousand listeners at once make one request', async (t) => {
  const asked = gate(), { open, opened } = gate();
  const it = await backend(t, async () => {
    asked.open();
    await opened;
    return { status: 204 };
  });
  const server = await asking(t, it, ['--workers', '2'], withKeys);
  const streams = Array.from({ length: 1000 }, () => subscribe(t, server, '/events/a', { headers: { cookie: 'session=ann' } }));
  await asked.opened;
  await until(async () => (await count(t, server, 'freshet_auth_waiting')) === 1000, 'all wait');
  open();
  await Promise.all(streams);
  assert.equal(it.questions.length, 1);
  assert.equal(await count(t, server, 'freshet_auth_waiting'), 0);
  await subscribe(t, server, '/events/a', { headers: { cookie: 'session=ben' } });
  assert.equal(it.questions.length, 2);
});

test('an answer is kept as long as it says, for the same question', async (t) => {
  const it = await backend(t, () => json({ publish: ['a'] }, { 'cache-control': 'private, max-age=60' }));
  const server = await asking(t, it);
  const ann = { cookie: 'session=ann' };
  for (let i = 0; i < 3; i++) {
    assert.equal((await get(t, server, '/events/a', ann)).status, 200);
  }
  assert.equal(it.questions.length, 1);
  await get(t, server, '/events/b', ann);
  await get(t, server, '/events/a', { cookie: 'session=ben' });
  await get(t, server, '/events/a', { authorization: 'session=ann' });
  await publish(t, server, 'a', 'x', { headers: ann });
  assert.equal(it.questions.length, 5);
  it.answer = () => ({ status: 403, headers: { 'cache-control': 'max-age=60' } });
  assertProblem(await get(t, server, '/events/c', ann), 403);
  assertProblem(await get(t, server, '/events/c', ann), 403);
  assert.equal(it.questions.length, 6);
  for (const directive of ['no-store, max-age=60', 'no-cache', 'max-age=0', 'max-age=60, max-age=0', 'public']) {
    const before = it.questions.length;
    it.answer = () => ({ status: 204, headers: { 'cache-control': directive } });
    await get(t, server, '/events/d', ann);
    await get(t, server, '/events/d', ann);
    assert.equal(it.questions.length, before + 2, directive);
  }
});

test('what failed is not kept, and a hangup drops what is', async (t) => {
  const kept = { 'cache-control': 'max-age=60' };
  const it = await backend(t, () => ({ status: 500, headers: kept }));
  const server = await asking(t, it);
  assertProblem(await get(t, server, '/events/a'), 503);
  it.answer = () => ({ status: 204, headers: kept });
  assert.equal((await get(t, server, '/events/a')).status, 200);
  it.answer = no;
  assert.equal((await get(t, server, '/events/a')).status, 200);
  server.kill('SIGHUP');
  await until(async () => (await get(t, server, '/events/a')).status === 403, 'the answer is forgotten');
});

test('answers are kept up to --auth-cache', async (t) => {
  const it = await backend(t, () => ({ status: 204, headers: { 'cache-control': 'max-age=60' } }));
  const server = await asking(t, it, ['--auth-cache', '2']);
  for (const topic of ['a', 'b', 'c', 'c', 'b']) {
    await get(t, server, `/events/${topic}`);
  }
  assert.equal(it.questions.length, 3);
  await get(t, server, '/events/a');
  assert.equal(it.questions.length, 4);
});

test('no more are under way than --auth-requests, and no more wait than --auth-waiting', async (t) => {
  const { open, opened } = gate();
  const it = await backend(t, async () => {
    await opened;
    return { status: 204 };
  });
  const server = await asking(t, it, ['--auth-requests', '2', '--auth-waiting', '6', '--auth-timeout', '60s'], withKeys);
  const waiting = Array.from({ length: 6 }, (_, i) => get(t, server, `/events/${i}`));
  await until(async () => (await count(t, server, 'freshet_auth_waiting')) === 6, 'six wait');
  assertProblem(await get(t, server, '/events/more'), 503);
  assert.equal(await count(t, server, 'freshet_limit_hits_total{limit="auth-waiting"}'), 1);
  open();
  for (const response of await Promise.all(waiting)) {
    assert.equal(response.status, 200);
  }
  assert.equal(it.busiest, 2);
  assert.equal((await get(t, server, '/events/more')).status, 200);
});

test('who goes while the backend is asked leaves nothing behind', async (t) => {
  const { open, opened } = gate();
  const it = await backend(t, async () => {
    await opened;
    return { status: 204 };
  });
  const server = await asking(t, it, ['--auth-timeout', '60s'], withKeys);
  const heads = ['GET /events/a HTTP/1.1\r\nHost: h\r\n\r\n', 'POST /events/b HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n'];
  for (const head of heads) {
    const socket = await connect(t, server);
    socket.send(head);
    await until(async () => (await count(t, server, 'freshet_auth_waiting')) === 1, 'it waits');
    socket.close();
    await until(async () => (await count(t, server, 'freshet_auth_waiting')) === 0, 'it is gone');
  }
  const socket = await connect(t, server);
  socket.send(`${heads[1]}half`);
  await until(async () => (await count(t, server, 'freshet_auth_waiting')) === 1, 'it waits');
  socket.reset();
  const session = await connectH2(t, server);
  const stream = await beginH2(session, { path: '/events/c' });
  await until(() => it.questions.some((question) => question.body.topics[0] === 'c'), 'it is asked about');
  stream.close(8);
  session.destroy();
  open();
  assert.equal((await get(t, server, '/events/d')).status, 200);
  await until(async () => (await count(t, server, 'freshet_auth_waiting')) === 0, 'nobody waits');
});

test('it drains while the backend is asked', async (t) => {
  const it = await backend(t, () => undefined);
  const server = await asking(t, it, ['--auth-timeout', '60s']);
  const socket = await connect(t, server);
  socket.send('GET /events/a HTTP/1.1\r\nHost: h\r\n\r\n');
  await until(() => it.questions.length === 1, 'it is asked');
  server.kill('SIGTERM');
  server.kill('SIGTERM');
  assert.equal(await server.ending(), 0);
});

test('a body waits until it is known whether it may come', async (t) => {
  const { open, opened } = gate();
  const it = await backend(t, async () => {
    await opened;
    return { status: 204 };
  });
  const server = await asking(t, it, ['--auth-timeout', '60s', '--max-body', '32m', '--workers', '1']);
  const socket = await connect(t, server);
  const body = Buffer.alloc(24 * 1024 * 1024, 'x');
  socket.send(`POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`);
  await until(() => it.questions.length === 1, 'it is asked');
  const before = server.memory();
  socket.send(body);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\ny');
  for (let i = 0; i < 20; i++) {
    assert.equal((await request(t, server, { path: '/healthz' })).status, 200);
  }
  assert.ok(socket.socket.writableLength > 0, 'the body stays where it is');
  assert.ok(!(server.memory() - before > 4 * 1024 * 1024), 'and is not kept');
  open();
  assert.equal((await socket.readResponse()).status, 200);
  assert.equal((await socket.readResponse()).status, 200);
  const stored = (await get(t, server, '/events/a?last=1')).json();
  assert.deepEqual(stored.map((event) => event.data), ['y']);
});

test('100 Continue comes once it is known that the body may', async (t) => {
  const it = await backend(t, yes);
  const server = await asking(t, it);
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n');
  assert.equal((await socket.readHead()).status, 100);
  socket.send('x');
  assert.equal((await socket.readResponse()).status, 200);
  it.answer = no;
  const other = await connect(t, server);
  other.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n');
  assert.equal((await other.readHead()).status, 403);
});

test('a request without a body and nothing behind it is answered', async (t) => {
  const { open, opened } = gate();
  const it = await backend(t, async () => {
    await opened;
    return { status: 204 };
  });
  const server = await asking(t, it);
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n');
  socket.halfClose();
  await until(() => it.questions.length === 1, 'it is asked');
  open();
  assert.equal((await socket.readResponse()).status, 200);
});

test('an event stream is published once it may be', async (t) => {
  const it = await backend(t, yes);
  const server = await asking(t, it);
  const headers = { 'content-type': 'text/event-stream' };
  assert.equal((await post(t, server, 'a', 'data: 1\n\ndata: 2\n\n', { headers })).json().published, 2);
  it.answer = no;
  assertProblem(await post(t, server, 'a', 'data: 3\n\n', { headers }), 403);
  it.answer = yes;
  assert.equal((await get(t, server, '/events/a?last_event_id=earliest')).json().length, 2);
});

test('HTTP/2: listeners, publishers, and bodies that come early', async (t) => {
  let { open, opened } = gate();
  const it = await backend(t, async (question) => {
    await opened;
    return question.body.topics[0].startsWith('no') ? { status: 403 } : { status: 204 };
  });
  const server = await asking(t, it);
  const session = await connectH2(t, server);
  const body = 'x'.repeat(50000);
  const all = [
    requestH2(session, { method: 'POST', path: '/events/a', body }),
    requestH2(session, { method: 'POST', path: '/events/no', body }),
    requestH2(session, { method: 'POST', path: '/events/empty', body: '' }),
    requestH2(session, { method: 'POST', path: '/events/s', headers: { 'content-type': 'text/event-stream' }, body: 'data: 1\n\n' }),
    requestH2(session, { method: 'POST', path: '/events', headers: { 'content-type': 'application/json' }, body: '{"topic":"j","data":"1"}' }),
    requestH2(session, { path: '/events/no', headers: { accept: 'application/json' } }),
  ];
  const listening = subscribeH2(session, '/events/live');
  await until(() => it.questions.length === 7, 'all are asked about');
  open();
  const answers = await Promise.all(all);
  assert.deepEqual(answers.map((answer) => answer.status), [200, 403, 200, 200, 200, 403]);
  const stream = await listening;
  const id = (await requestH2(session, { method: 'POST', path: '/events/live', body: 'hello' })).json().id;
  assert.deepEqual(await stream.next(), { event: 'message', id, data: 'hello' });
  const stored = await requestH2(session, { path: '/events?topic=a&topic=s&topic=j&last_event_id=earliest', headers: { accept: 'application/json' } });
  assert.deepEqual(stored.json().map((event) => event.data.length).sort(), [1, 1, body.length]);
});

test('HTTP/2: what comes early is no more than a body may be', async (t) => {
  const it = await backend(t, () => undefined);
  const server = await asking(t, it, ['--max-body', '64k', '--auth-timeout', '60s'], withKeys);
  const session = await connectH2(t, server);
  const headers = { 'content-type': 'text/event-stream' };
  const answer = await requestH2(session, { method: 'POST', path: '/events/a', headers, body: 'x'.repeat(100000) });
  assert.equal(answer.status, 413, answer.body);
  await until(async () => (await count(t, server, 'freshet_auth_waiting')) === 0, 'nobody waits');
});

test('nothing that was sent as a proof is logged', async (t) => {
  const it = await backend(t, () => ({ status: 500 }));
  const server = await asking(t, it, ['--log-level', 'debug']);
  await get(t, server, '/events/a', { cookie: 'session=hush-hush', authorization: 'Bearer hush-hush' });
  await it.close();
  await get(t, server, '/events/a', { cookie: 'session=hush-hush', authorization: 'Bearer hush-hush' });
  await server.stop();
  assert.ok(!`${server.stderr}${server.stdout}`.includes('hush-hush'));
});

test('settings that make no sense are refused', async (t) => {
  for (const args of [['--auth-url', 'ftp://h/'], ['--auth-url', 'http://'], ['--auth-url', 'h'], ['--auth-url', 'http://h', '--auth-forward', 'Host'],
    ['--auth-url', 'http://h', '--auth-forward', 'a b'], ['--auth-url', 'http://h', '--auth-on-failure', 'maybe']]) {
    for (const check of [[], ['--check']]) {
      const { status, stderr } = await run(t, ['serve', '--listen', '127.0.0.1:0', ...args, ...check]);
      assert.notEqual(status, 0, args.join(' '));
      assert.match(stderr, /auth-/);
    }
  }
});
