// The token of an open connection, changed: by WebSocket in a message, and what the new one is worth. And topics that are
// added by the right of a token, which end with it.

import assert from 'node:assert/strict';
import {
  bearer, connect, patience, publish, request, rights, secret, serve, slow, subscribe, test, token, until,
} from './harness/index.mjs';
import { ask, named } from './harness/live.mjs';
import { openWebSocket, withoutWebSocket } from './harness/ws.mjs';

const server = (t, more = []) => serve(t, more, { env: { FRESHET_JWT_SECRET: secret } });
// Long enough for what has to be done before, on a machine that has other things to do.
const soon = 3 * slow;
const in_ = (seconds) => Math.floor(Date.now() / 1000) + seconds;
const lasting = (seconds, subscribes = ['a'], publishes = ['a'], more = {}) =>
  token(rights(subscribes, publishes, { exp: in_(seconds), ...more }));

test('a WebSocket shows another token, and goes on by it', withoutWebSocket(), async (t) => {
  const s = await server(t, ['--jwt-leeway', '0s']);
  const kept = await openWebSocket(t, s, '/events/a', { headers: bearer(lasting(soon)) });
  await Promise.all(['', '?control=1'].map(async (query) => {
    const ws = await openWebSocket(t, s, `/events/a${query}`, { headers: bearer(lasting(soon)) });
    ws.say({ ref: 7, token: lasting(1000, ['a', 'b'], ['b']) });
    const { ref, renewed } = await ws.answer();
    assert.equal(ref, 7);
    assert.ok(renewed.expires_in > 900 && renewed.expires_in <= 1000, `${renewed.expires_in}`);
    // It speaks by the new one alone.
    ws.say({ publish: { topic: 'a', data: 'x' } });
    assert.equal((await ws.answer()).error.status, 403);
    ws.say({ publish: { topic: 'b', data: 'x' } });
    assert.ok((await ws.answer()).published.id);
    ws.say({ add: ['b'] });
    assert.deepEqual((await ws.answer()).changed.topics, ['a', 'b']);
    await until(() => kept.ended, 'the end of one that goes on by the first token', 3 * patience);
    await publish(t, s, 'b', `later ${query}`, { headers: bearer(lasting(60, [], ['b'])) });
    let event;
    do {
      event = await ws.json();
    } while (event.data !== `later ${query}`);
  }));
});

test('a token that is no good changes nothing', withoutWebSocket(), async (t) => {
  const s = await server(t);
  const ws = await openWebSocket(t, s, '/events/a', { headers: bearer(lasting(60)) });
  const refused = async (shown) => {
    ws.say({ token: shown });
    return (await ws.answer()).error;
  };
  assert.equal((await refused('nonsense')).status, 401);
  assert.equal((await refused(`fk_${'A'.repeat(43)}`)).status, 401);
  assert.equal((await refused('')).status, 401);
  assert.equal((await refused(lasting(-60))).status, 401);
  assert.equal((await refused('x'.repeat(9000))).status, 401);
  const other = await refused(lasting(60, ['b'], ['b']));
  assert.equal(other.status, 403);
  assert.match(other.detail, /`a`, which this connection hears/);
  for (const value of [1, null, ['x'], {}]) {
    assert.equal((await refused(value)).status, 400);
  }
  ws.say({ token: lasting(60), publish: { topic: 'a', data: 'x' } });
  assert.equal((await ws.answer()).error.status, 400);
  ws.send('{"token":"a","token":"b"}');
  assert.equal((await ws.answer()).error.status, 400);
  ws.say({ publish: { topic: 'a', data: 'still' } });
  assert.ok((await ws.answer()).published.id);
  assert.equal((await ws.events(1))[0].data, 'still');
});

test('without keys no token is needed, and none is taken', withoutWebSocket(), async (t) => {
  const s = await serve(t);
  const ws = await openWebSocket(t, s, '/events/a');
  ws.say({ token: 'x' });
  assert.equal((await ws.answer()).error.status, 404);
});

test('a token that is shown by HTTP counts for what a WebSocket says', withoutWebSocket(), async (t) => {
  const s = await server(t);
  const ws = await openWebSocket(t, s, '/events/a?control=1', { headers: bearer(lasting(60)) });
  const first = await ws.json();
  const name = JSON.parse(first.data).connection;
  const path = `/api/connections/${name}/token`;
  assert.equal((await request(t, s, { method: 'POST', path, headers: bearer(lasting(60, ['a'], ['b'])) })).status, 200);
  ws.say({ publish: { topic: 'a', data: 'x' } });
  assert.equal((await ws.answer()).error.status, 403);
});

test('what is added by the right of a token ends with it', async (t) => {
  const s = await server(t, ['--public-subscribe', 'open', '--jwt-leeway', '0s']);
  const stream = await named(await subscribe(t, s, '/events/open?control=1'));
  const other = await named(await subscribe(t, s, '/events/a?control=1', { headers: bearer(lasting(soon)) }));
  const json = { 'content-type': 'application/json' };
  assert.equal((await ask(t, s, stream.name, { add: ['a'] })).status, 401);
  const added = await ask(t, s, stream.name, { add: ['a'] }, { ...json, ...bearer(lasting(soon)) });
  assert.equal(added.status, 200, added.body);
  // One that is good for longer makes nothing longer.
  assert.equal((await ask(t, s, other.name, { add: ['open'] }, { ...json, ...bearer(lasting(1000)) })).status, 200);
  await publish(t, s, 'a', 'heard', { headers: bearer(lasting(60)) });
  const told = await stream.finish(3 * patience);
  assert.ok(told.some(({ data }) => data === 'heard'));
  assert.ok(told.some(({ event }) => event === 'freshet.expiring'));
  await other.finish(3 * patience);
});

test('an event stream that is being published ends with its token', async (t) => {
  const s = await server(t, ['--jwt-leeway', '0s']);
  const end = in_(soon);
  const socket = await connect(t, s);
  const piece = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;
  socket.send(`POST /events/a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token(rights([], ['a'], { exp: end }))}\r\n` +
    `Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n${piece('data: 1\n\n')}`);
  const heard = await request(t, s, { path: '/events/a?last_event_id=earliest&wait=60',
    headers: { accept: 'application/json', ...bearer(lasting(60)) } });
  assert.equal(heard.json()[0].data, '1');
  await until(() => Date.now() >= end * 1000, 'the token expires', 3 * patience);
  socket.send(piece('data: 2\n\n'));
  const answer = await socket.readResponse();
  assert.equal(answer.status, 403);
  assert.match(answer.body, /1 events of the stream were published/);
});
