// One stream, whose topics change while it is open: freshet.connection, and POST /api/connections/<name>/topics.

import assert from 'node:assert/strict';
import {
  apiConnections, assertProblem, assertRising, connect, order, publish, request, serve, subscribe,
  subscribeHead, test, until,
} from './harness/index.mjs';
import { connectH2, requestH2, subscribeH2 } from './harness/h2.mjs';
import { checkPhases, startFlow } from './harness/flow.mjs';
import { ask, change, json, named, next, open, pathOf, publishMany } from './harness/live.mjs';

test('control=1 tells the connection its name before anything else', async (t) => {
  const server = await serve(t, ['--greeting', 'hello']);
  const names = new Set();
  for (let i = 0; i < 5; i++) {
    const stream = await open(t, server, '/events/a?last_event_id=unheard-of');
    assert.match(stream.name, /^[0-9a-f]{34}$/);
    assert.equal(stream.cursor, stream.head.headers['last-event-id']);
    assert.equal((await stream.next()).event, 'freshet.greeting');
    names.add(stream.name.slice(2));
  }
  assert.equal(names.size, 5);
  const silent = await subscribe(t, server, '/events/a');
  assert.equal((await silent.next()).event, 'freshet.greeting');
  const poll = await request(t, server, { path: '/events/a?control=1', headers: { accept: 'application/json' } });
  assert.deepEqual(poll.json(), []);
});

test('the name is told nowhere else', async (t) => {
  const server = await serve(t);
  const stream = await open(t, server, '/events/a');
  await change(t, server, stream.name, { add: ['b'] });
  const secret = stream.name.slice(2);
  for (const path of ['/api/connections', '/api/topics', '/metrics', '/readyz', '/']) {
    const response = await request(t, server, { path });
    assert.ok(!response.body.includes(secret), path);
  }
  const [connection] = await apiConnections(t, server);
  assert.deepEqual(connection.topics, ['a', 'b']);
  assertProblem(await ask(t, server, connection.id, { add: ['c'] }), 404); // its number is no name
  server.kill('SIGTERM');
  await server.ending();
  assert.ok(!(server.stdout + server.stderr).includes(secret));
});

test('topics come and go on one stream', async (t) => {
  const server = await serve(t);
  const stream = await open(t, server, '/events/a');
  await publish(t, server, 'b', 'too early');
  const added = await change(t, server, stream.name, { add: ['b', 'room/*'] });
  assert.deepEqual([added.topics, added.events, added.next], [['a', 'b', 'room/*'], [], null]);
  const first = await publish(t, server, 'b', 'one');
  assert.ok(order(added.from) < order(first));
  await publish(t, server, 'room/7', 'two');
  await publish(t, server, 'a', 'three');
  for (const data of ['one', 'two', 'three']) {
    assert.equal((await next(stream)).data, data);
  }
  const removed = await change(t, server, stream.name, { remove: ['room/*', 'a', 'never heard'] });
  assert.deepEqual(removed.topics, ['b']);
  await publish(t, server, 'room/7', 'four');
  await publish(t, server, 'a', 'five');
  await publish(t, server, 'b', 'six');
  assert.equal((await next(stream)).data, 'six');
  const both = await change(t, server, stream.name, { remove: ['b'], add: ['b', 'c'] });
  assert.deepEqual(both.topics, ['b', 'c']); // what is removed and added stays
  assert.deepEqual((await change(t, server, stream.name, {})).topics, ['b', 'c']);
  stream.assertQuiet();
});

test('a stream may hear nothing for a while', async (t) => {
  const server = await serve(t, ['--heartbeat', '100ms']);
  const stream = await open(t, server, '/events/a');
  assert.deepEqual((await change(t, server, stream.name, { remove: ['a'] })).topics, []);
  await publish(t, server, 'a', 'unheard');
  await stream.waitComments(4);
  await change(t, server, stream.name, { add: ['a'] });
  await publish(t, server, 'a', 'heard');
  assert.equal((await next(stream)).data, 'heard');
});

test('newline-delimited JSON, and the form that curl sends', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a?control=1', { headers: { accept: 'application/x-ndjson' } }));
  await socket.readHead();
  let text = '';
  socket.divert((chunk) => { text += chunk; }, () => {});
  const lines = () => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  await until(() => text.includes('\n'), 'there is a line');
  const [first] = lines();
  assert.equal(first.event, 'freshet.connection');
  const { connection } = JSON.parse(first.data);
  const response = await ask(t, server, connection, { add: ['b'] }, { 'content-type': 'application/x-www-form-urlencoded' });
  assert.equal(response.status, 200, response.body);
  await publish(t, server, 'b', 'hello');
  await until(() => lines().at(-1)?.topic === 'b', 'the new topic is heard');
});

test('whichever worker has the connection', async (t) => {
  const server = await serve(t, ['--workers', '4']);
  const streams = [];
  await until(async () => {
    streams.push(await open(t, server, '/events/a'));
    return new Set((await apiConnections(t, server)).map(({ worker }) => worker)).size >= 2;
  }, 'two workers have connections');
  for (const [i, stream] of streams.entries()) {
    await change(t, server, stream.name, { add: [`own/${i}`], remove: ['a'] });
  }
  for (const [i, stream] of streams.entries()) {
    await publish(t, server, `own/${i}`, `for ${i}`);
    assert.equal((await next(stream)).data, `for ${i}`);
  }
});

test('over HTTP/2, from the same connection and from another', async (t) => {
  const server = await serve(t);
  const session = await connectH2(t, server);
  const stream = await named(await subscribeH2(session, '/events/a?control=1'));
  const response = await requestH2(session, { method: 'POST', path: pathOf(stream.name), headers: json, body: '{"add":["b"]}' });
  assert.equal(response.status, 200, response.body);
  await change(t, server, stream.name, { add: ['c'], remove: ['a'] });
  await publish(t, server, 'a', 'no');
  await publish(t, server, 'b', 'one');
  await publish(t, server, 'c', 'two');
  assert.equal((await next(stream)).data, 'one');
  assert.equal((await next(stream)).data, 'two');
});

// --- the past of what is added ---

// Asks until everything has been given; returns the events of all pages, and the last answer.
async function addAll(t, server, name, add, after, between = async () => {}) {
  const events = [];
  for (let pages = 1; ; pages++) {
    const page = await change(t, server, name, { add, after });
    events.push(...page.events);
    if (page.next === null) {
      return { ...page, events, pages };
    }
    assert.equal(page.from, null);
    assert.ok(!page.topics.includes(add[0]), 'nothing is changed before the last page');
    assert.notEqual(page.next, after);
    after = page.next;
    await between();
  }
}

test('after: the past comes in pages, then the stream goes on, and every event comes once', async (t) => {
  const server = await serve(t, ['--max-answer', '4k']);
  const stream = await open(t, server, '/events/a');
  const ids = await publishMany(t, server, 'b', 300);
  await publish(t, server, 'a', 'on the stream');
  const later = [];
  const last = await addAll(t, server, stream.name, ['b'], ids[9], async () => {
    later.push(await publish(t, server, 'b', 'meanwhile'));
  });
  assert.ok(last.pages > 3, `${last.pages} pages`);
  later.push(await publish(t, server, 'b', 'live'));
  const taken = await stream.takeUntil((event) => event.data === 'live');
  const heard = taken.filter((event) => event.event === 'message');
  assertRising(heard.map(({ id }) => id));
  const live = heard.filter((event) => event.data !== 'on the stream').map(({ id }) => id);
  assert.deepEqual([...last.events.map(({ id }) => id), ...live], [...ids.slice(10), ...later]);
  assert.ok(live.every((id) => order(id) > order(last.from)));
  assert.deepEqual(last.events[0], { id: ids[10], topic: 'b', event: 'message', data: 'b 10' });
});

test('after: a page has at most --max-answer bytes, but one event', async (t) => {
  const server = await serve(t, ['--max-answer', '4k']);
  const stream = await open(t, server, '/events/a');
  await publish(t, server, 'b', 'x'.repeat(10_000));
  await publishMany(t, server, 'b', 100, '"'.repeat(50)); // twice as long in JSON
  let after = 'earliest';
  for (let page; page?.next !== null; after = page.next) {
    page = await change(t, server, stream.name, { add: ['b'], after });
    assert.ok(JSON.stringify(page.events).length <= 4096 + 2 || page.events.length === 1);
  }
});

test('after: more than history hands out at a time', async (t) => {
  const server = await serve(t);
  const ids = await publishMany(t, server, 'b', 800);
  for (const add of ['b', '*']) {
    const stream = await open(t, server, '/events/a');
    const { events } = await addAll(t, server, stream.name, [add], ids[0]);
    assert.deepEqual(events.map(({ id }) => id), ids.slice(1));
  }
});

test('after: a pattern that matches little is found in much', async (t) => {
  const server = await serve(t, ['--history-count', '100000']);
  const stream = await open(t, server, '/events/a');
  await publish(t, server, 'rare/1', 'first');
  for (let i = 0; i < 5; i++) {
    await publishMany(t, server, 'noise', 4000);
  }
  await publish(t, server, 'rare/2', 'second');
  const { events } = await addAll(t, server, stream.name, ['rare/*'], 'earliest');
  assert.deepEqual(events.map(({ data }) => data), ['first', 'second']);
});

test('after: what is lost, unknown or in the future is told as a gap', async (t) => {
  const server = await serve(t, ['--history-count', '5']);
  const ids = await publishMany(t, server, 'b', 20);
  const gapOf = (event) => {
    assert.deepEqual([event.event, event.id, event.topic], ['freshet.gap', undefined, undefined]);
    return JSON.parse(event.data);
  };
  const cases = [
    [ids[3], { after: ids[3], before: ids[15], reason: 'expired' }],
    ['no-such-id', { after: 'no-such-id', before: null, reason: 'unknown' }],
    ['99999999999999-0', { after: '99999999999999-0', before: null, reason: 'unknown' }],
    ['9999999999999-0', { after: '9999999999999-0', before: null, reason: 'future' }],
    ['x'.repeat(300), { after: '', before: null, reason: 'unknown' }],
  ];
  for (const [after, gap] of cases) {
    const stream = await open(t, server, '/events/a');
    const { events } = await change(t, server, stream.name, { add: ['b'], after });
    assert.deepEqual(gapOf(events[0]), gap);
    assert.deepEqual(events.slice(1).map(({ id }) => id), ids.slice(15));
  }
  const stream = await open(t, server, '/events/a');
  const { events } = await change(t, server, stream.name, { add: ['b'], after: 'earliest' });
  assert.deepEqual(events.map(({ id }) => id), ids.slice(15)); // from the start on, nothing is missing
});

test('after: an id of the publisher\'s own, and topics that are heard already', async (t) => {
  const server = await serve(t);
  const stream = await open(t, server, '/events/a');
  for (const id of ['one', 'two', 'three']) {
    await publish(t, server, 'b', id, { id });
  }
  const heard = await change(t, server, stream.name, { add: ['a'], after: 'earliest' });
  assert.deepEqual([heard.topics, heard.events], [['a'], []]);
  const { events } = await change(t, server, stream.name, { add: ['b'], after: 'one' });
  assert.deepEqual(events.map(({ id }) => id), ['two', 'three']);
  assert.equal((await change(t, server, stream.name, { add: ['c'], after: null })).next, null);
});

// What a page does after its EventSource has come back.
test('after a reconnect the cursor of freshet.connection adds without a hole', async (t) => {
  const server = await serve(t);
  const first = await open(t, server, '/events/a');
  await change(t, server, first.name, { add: ['b'] });
  await publish(t, server, 'b', 'seen');
  const { id } = await next(first);
  first.socket.close();
  const missed = await publish(t, server, 'b', 'missed');
  const stream = await named(await subscribe(t, server, '/events/a?control=1', { headers: { 'last-event-id': id } }));
  assert.equal(stream.cursor, id);
  const { events } = await change(t, server, stream.name, { add: ['b'], after: stream.cursor });
  assert.deepEqual(events.map((event) => event.id), [missed]);
});

// --- slow connections ---

test('a connection that is stalled: what is added begins at its cursor, what is removed ends there', async (t) => {
  const server = await serve(t, ['--socket-buffer', '4k', '--history-count', '20000', '--window-bytes', '1m']);
  const stream = await open(t, server, '/events/a');
  stream.socket.pause();
  const flow = new Map();
  for (let i = 0; i < 40; i++) {
    for (const topic of ['a', 'b']) {
      for (const id of await publishMany(t, server, topic, 50, 'x'.repeat(2000))) {
        flow.set(id, topic);
      }
    }
  }
  await until(async () => (await apiConnections(t, server))[0].state !== 'live', 'it is stalled');
  const { from } = await change(t, server, stream.name, { add: ['b'], remove: ['a'] });
  const last = await publish(t, server, 'b', 'last');
  flow.set(last, 'b');
  stream.socket.resume();
  const taken = await stream.takeUntil((event) => event.id === last);
  const heard = taken.filter((event) => event.event === 'message').map(({ id }) => id);
  assert.ok(!taken.some((event) => event.event === 'freshet.gap'));
  const expected = [...flow].filter(([id, topic]) => (order(id) <= order(from) ? topic === 'a' : topic === 'b'));
  assert.ok(expected.some(([, topic]) => topic === 'a'));
  assert.deepEqual(heard, expected.map(([id]) => id));
});

// --- a thousand events a second ---

for (const protocol of ['h1', 'h2']) {
  test(`adding and removing while a thousand events a second flow, over ${protocol}`, async (t) => {
    const server = await serve(t, ['--workers', '2', '--history-count', '100000']);
    const flow = await startFlow(t, server);
    const session = protocol === 'h2' ? await connectH2(t, server) : undefined;
    const streams = await Promise.all(Array.from({ length: 8 }, async () => (session
      ? named(await subscribeH2(session, '/events?topic=t/0&control=1')) : open(t, server, '/events?topic=t/0'))));
    const outcomes = await Promise.all(streams.map(async (stream, n) => {
      const phases = [{ from: stream.cursor, topics: ['t/0'] }];
      const pages = [];
      for (let i = 0; i < 60; i++) {
        const body = { add: [`t/${(i * 7 + n) % 10}`], remove: [`t/${(i * 3 + n) % 10}`] };
        if (i % 5 === 4) {
          body.after = flow.recent(50);
        }
        let answer = await change(t, server, stream.name, body);
        pages.push(...answer.events);
        while (answer.next !== null) {
          answer = await change(t, server, stream.name, { ...body, after: answer.next });
          pages.push(...answer.events);
        }
        phases.push(answer);
      }
      return { phases, pages };
    }));
    const all = await flow.stop();
    const end = await publish(t, server, 't/0', 'the end');
    all.push({ id: end, topic: 't/0' });
    for (const [n, { phases }] of outcomes.entries()) {
      phases.push(await change(t, server, streams[n].name, { add: ['end'] }));
      await publish(t, server, 'end', 'end');
      const heard = (await streams[n].takeUntil((event) => event.data === 'end')).slice(0, -1);
      await change(t, server, streams[n].name, { remove: ['end'] });
      assert.ok(!heard.some((event) => event.event === 'freshet.gap'));
      checkPhases(phases, all, heard.filter((event) => event.event === 'message' && event.data !== 'end'));
    }
    assert.ok(outcomes.some(({ pages }) => pages.length > 0));
  });
}

// A connection that keeps up needs no history to change.
test('adding and removing under load without any history', async (t) => {
  const server = await serve(t, ['--history-count', '0']);
  const flow = await startFlow(t, server);
  const stream = await open(t, server, '/events?topic=t/0&topic=t/1');
  const phases = [{ from: stream.cursor, topics: ['t/0', 't/1'] }];
  for (let i = 0; i < 200; i++) {
    phases.push(await change(t, server, stream.name, { add: [`t/${(i * 7) % 10}`], remove: [`t/${(i * 3) % 10}`] }));
  }
  const all = await flow.stop();
  phases.push(await change(t, server, stream.name, { add: ['end'] }));
  await publish(t, server, 'end', 'end');
  const heard = (await stream.takeUntil((event) => event.data === 'end')).slice(0, -1);
  assert.ok(!heard.some((event) => event.event === 'freshet.gap'));
  checkPhases(phases, all, heard.filter((event) => event.event === 'message'));
});
