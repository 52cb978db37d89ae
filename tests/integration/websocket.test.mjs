// WebSocket where events are: the handshake, delivery and cursors as every other transport has them, publishing, the
// ends; over HTTP/1.1, TLS and HTTP/2; with our own client and with one that somebody else wrote.

import assert from 'node:assert/strict';
import WebSocket from 'ws';
import {
  apiConnections, assertProblem, assertRising, certificate, connect, folder, limitHits, metric, publish, publisher,
  request, serve, subscribe, test, tlsServer, until, untilSubscribers, within,
} from './harness/index.mjs';
import { connectH2, requestH2 } from './harness/h2.mjs';
import { closePayload, frame, handshake, openWebSocket, openWebSocketH2, opcodes, withoutWebSocket } from './harness/ws.mjs';

const skip = await withoutWebSocket();

async function refused(t, server, path, headers) {
  const socket = await connect(t, server);
  socket.send(handshake(server, path, headers));
  return socket.readResponse();
}

test('without wslay, who asks for WebSocket is told so', { skip: !skip && 'freshet has WebSocket' }, async (t) => {
  const server = await serve(t);
  assertProblem(await refused(t, server, '/events/a'), 501);
  await subscribe(t, server, '/events/a');
});

test('a handshake that is not right is refused', { skip }, async (t) => {
  const server = await serve(t, ['--cors-origin', 'https://friend.example']);
  const old = await refused(t, server, '/events/a', { 'sec-websocket-version': '8' });
  assertProblem(old, 426);
  assert.equal(old.headers['sec-websocket-version'], '13');
  assertProblem(await refused(t, server, '/events/a', { 'sec-websocket-key': 'short' }), 400);
  assertProblem(await refused(t, server, '/events/a', { 'sec-websocket-key': undefined }), 400);
  assertProblem(await refused(t, server, '/events'), 400);
  assertProblem(await refused(t, server, '/events/a?since=never'), 400);
  assertProblem(await refused(t, server, '/events/a', { origin: 'https://evil.example' }), 403);
  assertProblem(await refused(t, server, '/events/a', { origin: 'null' }), 403);
  await openWebSocket(t, server, '/events/a', { headers: { origin: 'https://friend.example' } });
  await openWebSocket(t, server, '/events/a', { headers: { origin: `http://127.0.0.1:${server.port}` } });
  // What does not ask for WebSocket by all of the rules is served as anything else.
  const socket = await connect(t, server);
  socket.send(handshake(server, '/healthz'));
  assert.equal((await socket.readResponse()).status, 200);
  assert.equal((await subscribe(t, server, '/events/a', { headers: { upgrade: 'websocket' } })).head.status, 200);
});

test('each event is one JSON object', { skip }, async (t) => {
  const server = await serve(t);
  const client = await openWebSocket(t, server, '/events/news?topic=room/*');
  assert.equal(client.head.headers['sec-websocket-protocol'], undefined);
  const id = await publish(t, server, 'news', 'one\ntwo "three" €', { event: 'tick' });
  assert.deepEqual(await client.json(), { id, topic: 'news', event: 'tick', data: 'one\ntwo "three" €' });
  const own = await publish(t, server, 'room/1', 'x'.repeat(70_000), { id: 'mine' });
  assert.deepEqual(await client.json(), { id: own, topic: 'room/1', event: 'message', data: 'x'.repeat(70_000) });
});

test('with freshet.stream it is the bytes of the event stream', { skip }, async (t) => {
  const server = await serve(t);
  const headers = { 'sec-websocket-protocol': 'chat, freshet.stream, freshet.json' };
  const client = await openWebSocket(t, server, '/events/a', { headers });
  assert.equal(client.head.headers['sec-websocket-protocol'], 'freshet.stream');
  const id = await publish(t, server, 'a', 'one\ntwo', { event: 'tick' });
  assert.equal(await client.text(), `id: ${id}\nevent: tick\ndata: one\ndata: two\n\n`);
  const [row] = await apiConnections(t, server);
  assert.deepEqual([row.protocol, row.representation], ['ws', 'event-stream']);
});

test('the cursor is in the URL, and control events come as messages', { skip }, async (t) => {
  const server = await serve(t, ['--greeting', 'welcome', '--history-count', '5']);
  const ids = [];
  for (let i = 0; i < 8; i++) {
    ids.push(await publish(t, server, 'a', `${i}`));
  }
  const resumed = await openWebSocket(t, server, `/events/a?last_event_id=${ids[5]}&control=1`);
  assert.equal(resumed.head.headers['last-event-id'], ids[5]);
  assert.equal((await resumed.json()).event, 'freshet.connection');
  assert.deepEqual(await resumed.json(), { event: 'freshet.greeting', data: 'welcome' });
  assert.deepEqual((await resumed.events(2)).map((event) => event.id), ids.slice(6));
  assert.deepEqual(await resumed.json(), { event: 'freshet.caught-up', data: JSON.stringify({ id: ids[7] }) });
  const late = await openWebSocket(t, server, `/events/a?last_event_id=${ids[0]}`);
  const [, gap, first] = await late.events(3);
  assert.equal(gap.event, 'freshet.gap');
  assert.deepEqual(JSON.parse(gap.data), { after: ids[0], before: ids[3], reason: 'expired' });
  assert.equal(first.id, ids[3]);
  const unknown = await openWebSocket(t, server, '/events/a?last_event_id=nothing');
  const [, lost] = await unknown.events(2);
  assert.equal(JSON.parse(lost.data).reason, 'unknown');
});

test('a client that does not read lags, and is told of the gap', { skip, timeout: 120_000 }, async (t) => {
  const limits = ['--window-bytes', '1m', '--history-bytes', '2m', '--history-topic-bytes', '2m', '--socket-buffer', '64k'];
  const server = await serve(t, limits);
  const stuck = await openWebSocket(t, server, '/events/a');
  const reader = await openWebSocket(t, server, '/events/a');
  stuck.socket.pause();
  const send = await publisher(t, server, 'a');
  const ids = [];
  for (let i = 0; i < 200; i++) {
    ids.push(await send('x'.repeat(64 * 1024)));
    assert.equal((await reader.json()).id, ids.at(-1));
  }
  stuck.socket.resume();
  const last = await send('last');
  const events = [];
  do {
    events.push(await stuck.json());
  } while (events.at(-1).id !== last);
  const heard = events.filter((event) => event.id).map((event) => event.id);
  assertRising(heard);
  const gaps = events.filter((event) => event.event === 'freshet.gap').map((event) => JSON.parse(event.data));
  assert.ok(gaps.length >= 1 && gaps.every((gap) => gap.reason === 'lagged'), JSON.stringify(gaps));
  // What was not heard lies in the gaps, and nothing else.
  const missing = ids.filter((id) => !heard.includes(id));
  const within = ids.filter((id) => gaps.some((gap) => ids.indexOf(id) > ids.indexOf(gap.after) && ids.indexOf(id) < (gap.before === last ? ids.length : ids.indexOf(gap.before))));
  assert.deepEqual(missing, within);
});

test('answers come between events, also to a client that is behind', { skip }, async (t) => {
  const server = await serve(t, ['--socket-buffer', '16k']);
  const client = await openWebSocket(t, server, '/events/a');
  client.socket.pause();
  const send = await publisher(t, server, 'a');
  for (let i = 0; i < 100; i++) {
    await send('x'.repeat(50_000));
  }
  client.say({ ref: 'late', publish: { topic: 'b', data: 'x' } });
  client.send(frame(opcodes.PING, 'late too'));
  client.socket.resume();
  assert.equal((await client.answer()).ref, 'late');
  const rest = client.frames.filter((each) => each.opcode === opcodes.TEXT).length;
  assert.ok(rest < 100, 'it did not wait for all of the events');
});

test('publishing is answered as POST is', { skip }, async (t) => {
  const server = await serve(t);
  const client = await openWebSocket(t, server, '/events/elsewhere');
  const listener = await subscribe(t, server, '/events/a?topic=b');
  client.say({ ref: 17, publish: { topics: ['a', 'b'], data: { n: 1 }, event: 'tick', retry: 100 } });
  const answer = await client.answer();
  const event = await listener.next();
  assert.deepEqual(answer, { ref: 17, published: { id: event.id } });
  assert.deepEqual([event.event, event.data, event.retry], ['tick', '{"n":1}', 100]);
  client.say({ publish: [{ topic: 'a', data: 'one' }, { topic: '*', data: 'x' }, { topic: 'a', data: 'two', id: 'mine' }] });
  const { published, ...others } = await client.answer();
  assert.deepEqual(others, {});
  assert.equal(published[0].id, (await listener.next()).id);
  assert.equal(published[1].status, 400);
  assert.deepEqual(published[2], { id: 'mine' });
  const wrong = [
    { publish: { topic: 'a' } }, { publish: { data: 'x' } }, { publish: 5 }, { publish: { topic: 'a', data: 'x', evnet: 'y' } },
    { publish: { topic: 'a', data: 'x', event: 'freshet.gap' } }, {}, [], 'text', { other: 1 }, { ref: {}, publish: { topic: 'a', data: 'x' } },
  ];
  for (const [i, value] of wrong.entries()) {
    client.say(Array.isArray(value) || typeof value === 'string' || 'ref' in value ? value : { ref: i, ...value });
    const { ref, error } = await client.answer();
    assert.equal(error.status, 400, JSON.stringify(value));
    assert.ok(error.detail.length > 10);
    assert.ok(ref === undefined || ref === i);
  }
  client.send('not JSON');
  assert.equal((await client.answer()).error.status, 400);
  await publish(t, server, 'a', 'end');
  assert.deepEqual([(await listener.next()).data, (await listener.next()).data], ['two', 'end']);
});

test('topics are added and dropped on the open connection', { skip }, async (t) => {
  const server = await serve(t, ['--max-topics', '4']);
  const session = await connectH2(t, server);
  const headers = { 'sec-websocket-protocol': 'freshet.json' };
  for (const open of [() => openWebSocket(t, server, '/events/a', { headers }), () => openWebSocketH2(session, '/events/a', headers)]) {
    const client = await open();
    const before = await publish(t, server, 'b', 'before');
    const missed = await publish(t, server, 'b', 'missed');
    client.say({ ref: 'plus', add: ['b', 'room/*'] });
    const { ref, changed } = await client.answer();
    assert.equal(ref, 'plus');
    assert.deepEqual(changed.topics.sort(), ['a', 'b', 'room/*']);
    assert.equal(changed.next, null);
    const ids = [];
    for (const topic of ['room/7', 'a', 'b']) {
      ids.push(await publish(t, server, topic, topic));
    }
    assert.deepEqual((await client.events(3)).map((event) => event.id), ids);
    client.say({ remove: ['a', 'b'] });
    assert.deepEqual((await client.answer()).changed.topics, ['room/*']);
    await publish(t, server, 'a', 'unheard');
    client.say({ ref: 2, add: ['b'], after: before });
    const past = (await client.answer()).changed;
    assert.deepEqual(past.events.map((event) => event.id), [missed, ids[2]]);
    const last = await publish(t, server, 'b', 'last');
    assert.equal((await client.json()).id, last);
    for (const wrong of [{ add: 'b' }, { add: ['**/x'] }, { add: ['1', '2', '3'] }, { add: ['x'], publish: { topic: 'a', data: 'x' } }, { add: ['x'], add2: [] }]) {
      client.say({ ref: 'wrong', ...wrong });
      const answer = await client.answer();
      assert.equal(answer.ref, 'wrong');
      assert.equal(answer.error.status, 400, JSON.stringify(wrong));
    }
    const [row] = (await apiConnections(t, server)).slice(-1);
    assert.deepEqual(row.topics.sort(), ['b', 'room/*']);
  }
});

test('a page of the past may be as large as an answer may be', { skip }, async (t) => {
  const server = await serve(t);
  const send = await publisher(t, server, 'b');
  for (let i = 0; i < 60; i++) {
    await send('x'.repeat(10_000));
  }
  const client = await openWebSocket(t, server, '/events/a');
  let after = 'earliest';
  const heard = [];
  while (after) {
    client.say({ add: ['b'], after });
    const { changed } = await client.answer();
    heard.push(...changed.events.map((event) => event.id));
    after = changed.next;
  }
  assert.equal(heard.length, 60);
  assertRising(heard);
});

test('a client that goes while a change is under way takes it with it', { skip }, async (t) => {
  const server = await serve(t);
  for (let i = 0; i < 20; i++) {
    const client = await openWebSocket(t, server, '/events/a');
    client.send(...Array.from({ length: 50 }, (_, n) => JSON.stringify({ add: [`t${n % 20}`], remove: [`t${(n + 10) % 20}`] })));
    if (i % 2) {
      await client.answer();
    }
    client.socket.reset();
  }
  await untilSubscribers(t, server, 0);
});

test('a thousand publishes in one go are all answered, in order, when they are on disk', { skip }, async (t) => {
  for (const args of [[], ['--data', folder(t)]]) {
    const server = await serve(t, args);
    const client = await openWebSocket(t, server, '/events/a');
    const count = 1000;
    client.send(...Array.from({ length: count }, (_, i) => JSON.stringify({ ref: i, publish: { topic: 'a', data: `${i}` } })));
    const answers = [];
    for (let i = 0; i < count; i++) {
      answers.push(await client.answer());
    }
    assert.deepEqual(answers.map((answer) => answer.ref), [...Array(count).keys()]);
    assertRising(answers.map((answer) => answer.published.id));
    const events = await client.events(count);
    assert.deepEqual(events.map((event) => event.id), answers.map((answer) => answer.published.id));
    await server.stop();
  }
});

test('what came right behind the handshake is heard', { skip }, async (t) => {
  const server = await serve(t);
  const early = frame(opcodes.TEXT, JSON.stringify({ ref: 1, publish: { topic: 'b', data: 'x' } }));
  const client = await openWebSocket(t, server, '/events/a', { early });
  assert.equal((await client.answer()).ref, 1);
});

test('silence is broken by pings', { skip }, async (t) => {
  const server = await serve(t, ['--heartbeat', '100ms']);
  const client = await openWebSocket(t, server, '/events/a');
  assert.equal((await client.frame(opcodes.PING)).length, 0);
  client.send(frame(opcodes.PONG));
  await client.frame(opcodes.PING);
});

test('an old connection is closed with 1001, one of a server that ends with 1012', { skip }, async (t) => {
  const young = await serve(t, ['--max-age', '300ms']);
  assert.equal((await (await openWebSocket(t, young, '/events/a')).closed()).code, 1001);
  const server = await serve(t, ['--drain', '300ms']);
  const clients = await Promise.all([...Array(10)].map(() => openWebSocket(t, server, '/events/a')));
  server.kill('SIGTERM');
  for (const client of clients) {
    const { code, reason } = await client.closed();
    assert.equal(code, 1012, reason);
    client.send(frame(opcodes.CLOSE, closePayload(1012)));
    await client.waitEnded();
  }
  assert.equal(await server.ending(), 0);
});

test('one connection too many is told when to come back', { skip }, async (t) => {
  const server = await serve(t, ['--max-connections', '1']);
  await openWebSocket(t, server, '/events/a');
  const answer = await refused(t, server, '/events/a');
  assertProblem(answer, 503);
  assert.ok(Number(answer.headers['retry-after']) >= 1);
});

test('a foreign client listens, publishes and closes', { skip }, async (t) => {
  for (const secure of [false, true]) {
    const server = secure ? await serve(t, ...tlsServer(certificate(folder(t), 'server'))) : await serve(t);
    const url = `${server.url.replace(/^http/, 'ws')}/events/a`;
    const socket = new WebSocket(url, ['freshet.json'], server.secure);
    t.after(() => socket.terminate());
    const messages = [];
    let wake = () => {};
    socket.on('message', (data) => {
      messages.push(JSON.parse(data));
      wake();
    });
    await within(new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    }), 'a WebSocket');
    assert.equal(socket.protocol, 'freshet.json');
    socket.send(JSON.stringify({ ref: 'r', publish: { topic: 'a', data: 'hello' } }));
    await within(new Promise((resolve) => {
      wake = () => messages.length >= 2 && resolve();
      wake();
    }), 'the event and the answer');
    assert.deepEqual(messages.map((each) => each.data ?? each.ref).sort(), ['hello', 'r']);
    socket.ping('x');
    assert.equal(String(await within(new Promise((resolve) => socket.once('pong', resolve)), 'a pong')), 'x');
    const closed = new Promise((resolve) => socket.once('close', (code, reason) => resolve([code, String(reason)])));
    socket.close(3001, 'enough');
    assert.deepEqual(await within(closed, 'the close'), [3001, '']);
    await untilSubscribers(t, server, 0);
  }
});

test('over HTTP/2 it travels on a stream beside others', { skip }, async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const [a, b] = [await openWebSocketH2(session, '/events/a'), await openWebSocketH2(session, '/events/b?last_event_id=earliest')];
  a.say({ ref: 1, publish: [{ topic: 'a', data: 'to a' }, { topic: 'b', data: 'to b' }] });
  assert.equal((await a.answer()).published.length, 2);
  assert.equal((await a.json()).data, 'to a');
  assert.equal((await b.json()).data, 'to b');
  assert.deepEqual((await apiConnections(t, server)).map((row) => row.protocol), ['ws', 'ws']);
  a.send(frame(opcodes.PING, 'x'));
  assert.equal(String(await a.frame(opcodes.PONG)), 'x');
  a.send(frame(opcodes.CLOSE, closePayload(1000)));
  assert.equal((await a.closed()).code, 1000);
  await a.waitEnded();
  b.send(frame(opcodes.TEXT, 'x', { masked: false }));
  assert.equal((await b.closed()).code, 1002);
  await b.waitEnded();
  await untilSubscribers(t, server, 0);
  assert.equal((await requestH2(session, { path: '/healthz' })).status, 200);
  assert.equal(session.goodbye, undefined);
});

test('over HTTP/2 what cannot be connected to is refused', { skip }, async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const connectTo = (path, headers = {}) => requestH2(session, {
    method: 'CONNECT', path, headers: { ':protocol': 'websocket', 'sec-websocket-version': '13', ...headers }, body: '',
  });
  assert.equal((await connectTo('/healthz')).status, 501);
  assert.equal((await connectTo('/nothing')).status, 404);
  assert.equal((await connectTo('/events')).status, 400);
  assert.equal((await connectTo('/events/a', { ':protocol': 'connect-udp' })).status, 501);
  assert.equal((await connectTo('/events/a', { 'sec-websocket-version': '12' })).status, 426);
  assert.equal((await connectTo('/events/a', { origin: 'https://evil.example' })).status, 403);
  assert.equal(session.goodbye, undefined);
});

test('over HTTP/2 one whose window is used up lags, and others do not', { skip }, async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  session.setLocalWindowSize(1 << 20); // of the connection: the stream's own is what is used up
  const [stuck, reader] = [await openWebSocketH2(session, '/events/a'), await openWebSocketH2(session, '/events/a')];
  stuck.stream.pause();
  const send = await publisher(t, server, 'a');
  const ids = [];
  for (let i = 0; i < 40; i++) {
    ids.push(await send('x'.repeat(20_000)));
    assert.equal((await reader.json()).id, ids.at(-1));
  }
  assert.ok((await metric(t, server, 'freshet_stalls_total')) > 0);
  stuck.stream.resume();
  assert.deepEqual((await stuck.events(40)).map((event) => event.id), ids);
});

test('over HTTP/2 the messages of all streams together are limited', { skip }, async (t) => {
  const server = await serve(t, ['--max-body', '20k']);
  const session = await connectH2(t, server);
  const clients = [];
  for (let i = 0; i < 5; i++) {
    clients.push(await openWebSocketH2(session, '/events/a'));
    clients.at(-1).send(frame(opcodes.TEXT, 'x'.repeat(18_000), { fin: false }));
    await until(async () => clients.at(-1).frames.length > 0 || i < 4, 'the last is refused');
  }
  assert.equal((await clients[4].closed()).code, 1008);
  assert.equal(await limitHits(t, server, 'max-body'), 1);
  assert.equal(session.goodbye, undefined);
});

test('over HTTP/2 a stream that its client ends or resets is over', { skip }, async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const [ended, reset] = [await openWebSocketH2(session, '/events/a'), await openWebSocketH2(session, '/events/a')];
  await untilSubscribers(t, server, 2);
  const never = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/events/a', 'sec-websocket-version': '13' }, { endStream: true });
  await within(new Promise((resolve) => never.once('close', resolve)), 'the end of one that says nothing');
  ended.stream.end();
  reset.stream.close(8);
  await untilSubscribers(t, server, 0);
});

test('a drain ends what HTTP/2 carries with the same word', { skip }, async (t) => {
  const server = await serve(t, ['--drain', '500ms']);
  const session = await connectH2(t, server);
  const client = await openWebSocketH2(session, '/events/a');
  server.kill('SIGTERM');
  assert.equal((await client.closed()).code, 1012);
  assert.equal(await server.ending(), 0);
});

test('a WebSocket and an event stream of one topic hear the same', { skip }, async (t) => {
  const server = await serve(t, ['--workers', '2']);
  const [ws, stream] = [await openWebSocket(t, server, '/events/**'), await subscribe(t, server, '/events/**')];
  const ids = [];
  for (let i = 0; i < 50; i++) {
    ids.push(await publish(t, server, `t${i % 7}`, `${i}`));
  }
  assert.deepEqual((await ws.events(50)).map((event) => event.id), ids);
  assert.deepEqual((await stream.take(50)).map((event) => event.id), ids);
  assert.equal((await request(t, server, { path: '/healthz' })).status, 200);
});
