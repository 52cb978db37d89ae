// The same events in other shapes: the JSON long poll and newline-delimited JSON.

import assert from 'node:assert/strict';
import {
  assertRising, connect, post, postJson, publish, request, serve, subscribeHead, test, untilSubscribers,
} from './harness/index.mjs';

const json = { accept: 'application/json' };

function poll(t, server, path, headers = {}) {
  return request(t, server, { path, headers: { ...json, ...headers } });
}

test('a poll with a cursor answers at once with what is after it', async (t) => {
  const server = await serve(t);
  const first = await publish(t, server, 'a', '1');
  const second = await publish(t, server, 'a', '{"x":1}', { event: 'tick' });
  const response = await poll(t, server, `/events/a?last_event_id=${first}&wait=30`);
  assert.equal(response.status, 200, response.body);
  assert.match(response.headers['content-type'], /^application\/json/);
  assert.equal(response.headers['cache-control'], 'public, max-age=10');
  assert.deepEqual(response.json(), [{ id: second, topic: 'a', event: 'tick', data: '{"x":1}' }]);
  assert.equal(response.headers['last-event-id'], second);
});

test('an event without a type is a message', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a', 'x');
  assert.equal((await poll(t, server, '/events/a?last=1')).json()[0].event, 'message');
});

test('a poll waits for the next event', async (t) => {
  const server = await serve(t);
  const waiting = poll(t, server, '/events?topic=a&topic=b&wait=30');
  await untilSubscribers(t, server, 1);
  await publish(t, server, 'b', 'hello');
  const events = (await waiting).json();
  assert.deepEqual(events.map((event) => [event.topic, event.data]), [['b', 'hello']]);
});

test('a poll that nothing answers ends with an empty array and a cursor', async (t) => {
  const server = await serve(t);
  for (const path of ['/events/a?wait=0', '/events/a', '/events/a?wait=1']) {
    const response = await poll(t, server, path);
    assert.equal(response.status, 200);
    assert.deepEqual(response.json(), []);
    assert.match(response.headers['last-event-id'], /^\d+-\d+$/);
  }
});

test('wait is bounded by --max-wait', async (t) => {
  const server = await serve(t, ['--max-wait', '100ms']);
  const response = await poll(t, server, '/events/a?wait=3600');
  assert.deepEqual(response.json(), []);
});

test('polling on from the cursor of each answer hears everything once', async (t) => {
  const server = await serve(t);
  let { headers: { 'last-event-id': cursor } } = await poll(t, server, '/events/a');
  const publisher = (async () => {
    for (let i = 0; i < 100; i++) {
      await publish(t, server, 'a', String(i));
    }
  })();
  const heard = [];
  while (heard.length < 100) {
    const response = await poll(t, server, `/events/a?wait=30&last_event_id=${cursor}`);
    heard.push(...response.json());
    cursor = response.headers['last-event-id'];
  }
  await publisher;
  assert.deepEqual(heard.map((event) => event.data), [...Array(100).keys()].map(String));
  assertRising(heard.map((event) => event.id));
});

test('a poll can be followed by another on the same connection', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a', 'x');
  const socket = await connect(t, server);
  for (let i = 0; i < 3; i++) {
    socket.send(subscribeHead(server, '/events/a?last=1', { headers: json }));
    assert.equal((await socket.readResponse()).json().length, 1);
  }
});

test('what the data holds is escaped', async (t) => {
  const server = await serve(t);
  const data = '"\\\n\t\u0001\u{1F600}é\u2028</script>';
  await post(t, server, 'a"b', data);
  const [event] = (await poll(t, server, '/events/a%22b?last=1')).json();
  assert.deepEqual([event.topic, event.data], ['a"b', data]);
});

test('the topic is the one that was published to', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'room/1', 'x');
  const [event] = (await poll(t, server, '/events?topic=room/*&last=1')).json();
  assert.equal(event.topic, 'room/1');
});

test('a gap is an item like any other', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a', 'x');
  const [gap] = (await poll(t, server, '/events/a?last_event_id=elsewhere')).json();
  assert.equal(gap.event, 'freshet.gap');
  assert.equal(JSON.parse(gap.data).reason, 'unknown');
});

test('a stream of newline-delimited JSON', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events?topic=a&topic=b', { headers: { accept: 'application/x-ndjson' } }));
  const head = await socket.readHead();
  assert.equal(head.status, 200);
  assert.match(head.headers['content-type'], /^application\/x-ndjson/);
  assert.match(head.headers['cache-control'], /no-store/);
  const id = await publish(t, server, 'b', 'one\ntwo');
  assert.deepEqual(JSON.parse(await socket.readUntil(/\{.*\}\n/)), { id, topic: 'b', event: 'message', data: 'one\ntwo' });
});

test('NDJSON replays and goes on live', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a', 'old');
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a?last_event_id=earliest', { headers: { accept: 'application/x-ndjson' } }));
  await socket.readHead();
  assert.equal(JSON.parse(await socket.readUntil(/\{.*\}\n/)).data, 'old');
  await publish(t, server, 'a', 'live');
  assert.equal(JSON.parse(await socket.readUntil(/\{.*\}\n/)).data, 'live');
});

test('the heartbeat of NDJSON is an empty line', async (t) => {
  const server = await serve(t, ['--heartbeat', '50ms']);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a', { headers: { accept: 'application/x-ndjson' } }));
  await socket.readHead();
  assert.match(await socket.readUntil('\n\n'), /^\n+$/);
});

test('the best quality wins', async (t) => {
  const server = await serve(t);
  const best = async (accept) =>
    (await request(t, server, { method: 'HEAD', path: '/events/a', headers: { accept } })).headers['content-type'];
  assert.match(await best('application/json;q=0.5, text/event-stream'), /event-stream/);
  assert.match(await best('text/event-stream;q=0.5, application/x-ndjson'), /ndjson/);
  assert.match(await best('application/json, text/event-stream;q=0'), /^application\/json/);
  assert.match(await best('application/*'), /^application\//);
});

test('a publish of NDJSON is heard as NDJSON, in order', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a', { headers: { accept: 'application/x-ndjson' } }));
  await socket.readHead();
  const lines = [...Array(20).keys()].map((i) => JSON.stringify({ topic: 'a', data: String(i) }));
  await postJson(t, server, lines.join('\n'), 'application/x-ndjson');
  for (let i = 0; i < 20; i++) {
    assert.equal(JSON.parse(await socket.readUntil(/\{.*\}\n/)).data, String(i));
  }
});
