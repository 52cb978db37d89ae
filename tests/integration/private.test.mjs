// Private events: for listeners whose token grants the topic, and for nobody who hears it only because everyone may; live
// and from history, in every form. The others see nothing of it, and no gap.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  assertProblem, bearer, connect, post, postJson, publish, request, rights, run, secret, serve, subscribe, subscribeHead, test, token,
} from './harness/index.mjs';
import { ask, named } from './harness/live.mjs';
import { openWebSocket, withoutWebSocket } from './harness/ws.mjs';

const env = { FRESHET_JWT_SECRET: secret };
const publicly = (t, more = []) => serve(t, ['--public-subscribe', '**', ...more], { env });
const insider = bearer(token(rights(['room/*'], ['**'], { sub: 'in' })));
const send = (t, server, topic, data, more = {}) => publish(t, server, topic, data, { headers: insider, ...more });
const hush = (t, server, topic, data, more = {}) => send(t, server, topic, data, { private: '1', ...more });

async function read(t, server, query, headers = {}) {
  const response = await request(t, server, { path: `/events?${query}`, headers: { accept: 'application/json', ...headers } });
  assert.equal(response.status, 200, response.body);
  return { data: response.json().map(({ event, data: text }) => (event === 'message' ? text : event)), headers: response.headers };
}

const data = (events) => events.map((event) => event.data);

test('every form of publishing makes events private, and every form of listening keeps them so', async (t) => {
  const server = await publicly(t);
  const ours = await subscribe(t, server, '/events/room/1', { headers: insider });
  const theirs = await subscribe(t, server, '/events/room/1');
  const lines = { accept: 'application/x-ndjson' };
  await hush(t, server, 'room/1', 'raw');
  const json = (value, type) => request(t, server, { method: 'POST', path: '/events', headers: { ...insider, 'content-type': type }, body: value });
  await json('{"topic":"room/1","data":"json","private":true}', 'application/json');
  await json('[{"topic":"room/1","data":"list","private":true},{"topic":"room/1","data":"open","private":false}]', 'application/json');
  await json('{"topic":"room/1","data":"line","private":true}\n{"topic":"room/1","data":"null","private":null}\n', 'application/x-ndjson');
  await request(t, server, { method: 'POST', path: '/events?private=1', headers: { ...insider, 'content-type': 'application/json' },
    body: '[{"topic":"room/1","data":"all"},{"topic":"room/1","data":"of them","private":false}]' });
  await hush(t, server, 'room/1', 'data: piped\n\ndata: in\n\n', { headers: { ...insider, 'content-type': 'text/event-stream' } }).catch(() => {});
  const pub = (...args) => run(t, ['pub', ...args, '--header', `Authorization: ${insider.authorization}`, '--url', server.url], { input: 'x\n' });
  assert.equal((await pub('room/1', 'by hand', '--private')).status, 0);
  assert.equal((await pub('room/1', '--lines', '--private')).status, 0);
  await send(t, server, 'room/1', 'end', { private: '0' });
  const everything = ['raw', 'json', 'list', 'open', 'line', 'null', 'all', 'of them', 'piped', 'in', 'by hand', 'x', 'end'];
  const open = ['open', 'null', 'end'];
  assert.deepEqual(data(await ours.take(everything.length)), everything);
  assert.deepEqual(data(await theirs.take(open.length)), open);
  for (const [headers, expected] of [[insider, everything], [{}, open]]) {
    for (const topic of ['room/1', 'room/*']) {
      assert.deepEqual((await read(t, server, `topic=${topic}&last_event_id=earliest`, headers)).data, expected);
      const old = await subscribe(t, server, `/events?topic=${topic}&last_event_id=earliest`, { headers });
      assert.deepEqual(data(await old.take(expected.length)), expected);
      old.close();
      const last = (await read(t, server, `topic=${topic}&last=3`, headers)).data;
      assert.deepEqual(last, expected.slice(-3));
    }
    const socket = await connect(t, server);
    socket.send(subscribeHead(server, '/events/room/1?last_event_id=earliest&wait=0', { headers: { ...headers, ...lines } }));
    await socket.readHead();
    assert.deepEqual((await socket.readToEnd()).trim().split('\n').map((line) => JSON.parse(line).data), expected);
  }
  theirs.assertQuiet();
});

test('compressed, and by WebSocket', withoutWebSocket(), async (t) => {
  const server = await publicly(t);
  const ours = await openWebSocket(t, server, '/events/room/1', { headers: insider });
  const theirs = await openWebSocket(t, server, '/events/room/1');
  ours.say({ publish: { topic: 'room/1', data: 'hidden', private: true } });
  assert.ok((await ours.answer()).published.id);
  theirs.say({ publish: { topic: 'room/1', data: 'x', private: true } });
  assert.equal((await theirs.answer()).error.status, 401);
  await send(t, server, 'room/1', 'seen');
  assert.deepEqual(data(await ours.events(2)), ['hidden', 'seen']);
  assert.deepEqual(data(await theirs.events(1)), ['seen']);
  for (const [headers, expected] of [[insider, ['hidden', 'seen']], [{}, ['seen']]]) {
    const response = await fetch(`${server.url}/events/room/1?last_event_id=earliest`, { headers: { accept: 'application/json', 'accept-encoding': 'gzip', ...headers } });
    assert.deepEqual(data(await response.json()), expected);
    const lines = await fetch(`${server.url}/events/room/1?last_event_id=earliest&wait=0`, { headers: { accept: 'application/x-ndjson', 'accept-encoding': 'gzip', ...headers } });
    assert.deepEqual((await lines.text()).trim().split('\n').map((line) => JSON.parse(line).data), expected);
  }
});

test('what counts is the name that was asked for, whether the token covers all of it', async (t) => {
  const server = await publicly(t);
  const wide = await subscribe(t, server, '/events?topic=**', { headers: insider }); // by the right that everyone has
  const both = await subscribe(t, server, '/events?topic=**&topic=room/*', { headers: insider });
  const mixed = await subscribe(t, server, '/events?topic=room/1&topic=news', { headers: insider });
  await hush(t, server, 'room/1', 'of the room');
  await hush(t, server, 'news', 'of nobody');
  await request(t, server, { method: 'POST', path: '/events', headers: { ...insider, 'content-type': 'application/json' },
    body: '{"topics":["news","room/1"],"data":"of both","private":true}' });
  await send(t, server, 'news', 'end');
  assert.deepEqual(data(await wide.take(1)), ['end']);
  assert.deepEqual(data(await both.take(3)), ['of the room', 'of both', 'end']);
  assert.deepEqual(data(await mixed.take(3)), ['of the room', 'of both', 'end']);
});

test('no gap for those who could not have heard it, one for those who could', async (t) => {
  const server = await publicly(t, ['--history-count', '3']);
  const first = await send(t, server, 'room/1', '0');
  for (let i = 1; i <= 5; i++) {
    await hush(t, server, 'room/1', `${i}`);
  }
  await send(t, server, 'room/1', 'end');
  const query = `topic=room/1&last_event_id=${first}`;
  assert.deepEqual((await read(t, server, query)).data, ['end']);
  assert.deepEqual((await read(t, server, query, insider)).data, ['freshet.gap', '4', '5', 'end']);
});

test('latest=1: a private value replaces none that everyone hears', async (t) => {
  const server = await publicly(t);
  await send(t, server, 'room/1', 'open', { key: 'k' });
  await hush(t, server, 'room/1', 'hidden', { key: 'k' });
  await hush(t, server, 'room/1', 'newer', { key: 'k' });
  assert.deepEqual((await read(t, server, 'topic=room/1&latest=1')).data, ['open']);
  assert.deepEqual((await read(t, server, 'topic=room/1&latest=1', insider)).data, ['open', 'newer']);
});

test('a cache keeps nothing private, and gives who shows a token nothing that it has for others', async (t) => {
  const server = await publicly(t);
  const first = await send(t, server, 'room/1', 'first');
  await hush(t, server, 'room/1', 'hidden');
  await send(t, server, 'room/1', 'seen');
  const query = `topic=room/1&last_event_id=${first}`;
  const open = await read(t, server, query), closed = await read(t, server, query, insider);
  assert.match(open.headers['cache-control'], /^public/);
  assert.match(closed.headers['cache-control'], /^private/);
  assert.notEqual(open.headers.etag, closed.headers.etag);
  for (const { headers } of [open, closed]) {
    assert.match(headers.vary, /Authorization, Cookie/);
  }
  const { ticket } = (await request(t, server, { method: 'POST', path: '/api/tickets', headers: insider })).json();
  const byTicket = await read(t, server, `${query}&ticket=${ticket}`);
  assert.deepEqual(byTicket.data, ['hidden', 'seen']);
  assert.match(byTicket.headers['cache-control'], /^private/);
});

test('an id of a private event is no place for those who do not hear it', async (t) => {
  const server = await publicly(t);
  await hush(t, server, 'room/1', 'hidden', { id: 'mine' });
  await send(t, server, 'room/1', 'seen');
  assert.deepEqual((await read(t, server, 'topic=room/1&last_event_id=mine')).data, ['freshet.gap', 'seen']);
  assert.deepEqual((await read(t, server, 'topic=room/1&last_event_id=mine', insider)).data, ['seen']);
});

test('topics that are added later are privy to whoever adds them', async (t) => {
  const server = await publicly(t);
  const ours = await subscribe(t, server, '/events/news?control=1', { headers: insider });
  const theirs = await subscribe(t, server, '/events/news?control=1');
  const add = async (stream, headers) => {
    const { name } = await named(stream);
    const response = await ask(t, server, name, { add: ['room/1'], after: 'earliest' }, { 'content-type': 'application/json', ...headers });
    assert.equal(response.status, 200, response.body);
    return data(response.json().events);
  };
  await hush(t, server, 'room/1', 'old');
  await send(t, server, 'room/1', 'seen');
  assert.deepEqual(await add(ours, insider), ['old', 'seen']);
  assert.deepEqual(await add(theirs, {}), ['seen']);
  await hush(t, server, 'room/1', 'hidden');
  await send(t, server, 'room/1', 'end');
  const rest = async (stream, count) => data((await stream.take(count)).filter(({ event }) => event === 'message'));
  assert.deepEqual(await rest(ours, 3), ['hidden', 'end']);
  assert.deepEqual(await rest(theirs, 2), ['end']);
});

test('another token lets hear what it grants, and no more than that', async (t) => {
  const server = await publicly(t);
  const poor = bearer(token(rights(['news'], [], { exp: Math.floor(Date.now() / 1000) + 60 })));
  const stream = await subscribe(t, server, '/events/room/1?control=1', { headers: insider });
  const { name } = await named(stream);
  const show = async (headers) => (await request(t, server, { method: 'POST', path: `/api/connections/${name}/token`, headers })).status;
  await hush(t, server, 'room/1', '1');
  assert.equal((await stream.takeUntil(({ event }) => event === 'message')).at(-1).data, '1');
  assert.equal(await show(poor), 200); // everyone may hear the room
  await hush(t, server, 'room/1', '2');
  await send(t, server, 'room/1', '3');
  assert.equal((await stream.next()).data, '3');
  assert.equal(await show(insider), 200);
  await hush(t, server, 'room/1', '4');
  assert.equal((await stream.next()).data, '4');
});

test('without keys, nothing can be private, and that is said', async (t) => {
  const server = await serve(t);
  const why = (response) => assert.match(assertProblem(response, 400).detail, /no keys/);
  why(await post(t, server, 'a', 'x', { private: '1' }));
  why(await post(t, server, 'a', 'data: x\n\n', { private: '1', headers: { 'content-type': 'text/event-stream' } }));
  why(await postJson(t, server, { topic: 'a', data: 'x', private: true }));
  const list = (await postJson(t, server, [{ topic: 'a', data: 'x', private: true }, { topic: 'a', data: 'y', private: false }])).json();
  assert.deepEqual(list.map(({ status }) => status), [400, undefined]);
  assert.equal((await post(t, server, 'a', 'x', { private: '0' })).status, 200);
  assertProblem(await post(t, server, 'a', 'x', { private: 'yes' }), 400);
  assertProblem(await postJson(t, server, { topic: 'a', data: 'x', private: 'yes' }), 400);
  assert.deepEqual((await read(t, server, 'topic=a&last_event_id=earliest')).data, ['y', 'x']);
});

test('private or not: to an Idempotency-Key it is another event', async (t) => {
  const server = await publicly(t);
  const headers = { ...insider, 'idempotency-key': 'once' };
  assert.equal((await post(t, server, 'a', 'x', { headers, private: '1' })).status, 200);
  assert.equal((await post(t, server, 'a', 'x', { headers, private: '1' })).status, 200);
  assertProblem(await post(t, server, 'a', 'x', { headers }), 422);
});

test('on disk they stay private: over a crash, an export and an import, and with a server without keys', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'freshet-private-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [one, two, file] = ['one', 'two', 'events'].map((name) => path.join(folder, name));
  const first = await publicly(t, ['--data', one]);
  await hush(t, first, 'room/1', 'hidden', { key: 'k' });
  await send(t, first, 'room/1', 'seen');
  first.kill('SIGKILL');
  await first.ending();
  assert.equal((await run(t, ['history', 'check', '--data', one])).status, 0);
  assert.equal((await run(t, ['history', 'export', '--data', one, '-o', file])).status, 0);
  assert.match(readFileSync(file, 'utf8'), /"private":true,"data":"hidden"/);
  for (let i = 0; i < 2; i++) { // the second time it is there already
    assert.equal((await run(t, ['history', 'import', file, '--data', two])).status, 0);
  }
  for (const data of [one, two]) {
    const server = await publicly(t, ['--data', data]);
    const query = 'topic=room/1&last_event_id=earliest';
    assert.deepEqual((await read(t, server, query)).data, ['seen']);
    assert.deepEqual((await read(t, server, query, insider)).data, ['hidden', 'seen']);
    assert.deepEqual((await read(t, server, 'topic=room/1&last=1')).data, ['seen']);
    server.kill();
    await server.ending();
  }
  const open = await serve(t, ['--data', two]);
  assert.deepEqual((await read(t, open, 'topic=**&last_event_id=earliest')).data, ['seen']);
});
