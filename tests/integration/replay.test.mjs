// Starting in the past: every way to say where, the switch to live, and what is said when the past is gone.

import assert from 'node:assert/strict';
import {
  assertProblem, assertRising, postJson, publish, request, serve, subscribe, test, until,
} from './harness/index.mjs';

// Publishes 1…count to topic a; returns the ids, ids[0] being that of "1".
async function publishMany(t, server, count, topic = 'a') {
  const response = await postJson(t, server, [...Array(count).keys()].map((i) => ({ topic, data: String(i + 1) })));
  assert.equal(response.status, 200, response.body);
  return response.json().map((item) => item.id);
}

const data = (events) => events.map((event) => event.data);

test('the Last-Event-ID header resumes after that event', async (t) => {
  const server = await serve(t);
  const ids = await publishMany(t, server, 5);
  const stream = await subscribe(t, server, '/events/a', { headers: { 'last-event-id': ids[1] } });
  await publish(t, server, 'a', 'live');
  assert.deepEqual(data(await stream.take(4)), ['3', '4', '5', 'live']);
});

test('last_event_id in the query does the same', async (t) => {
  const server = await serve(t);
  const ids = await publishMany(t, server, 5);
  const stream = await subscribe(t, server, `/events/a?last_event_id=${ids[3]}`);
  assert.deepEqual(data(await stream.take(1)), ['5']);
});

test('the header wins over the query', async (t) => {
  const server = await serve(t);
  const ids = await publishMany(t, server, 5);
  const stream = await subscribe(t, server, `/events/a?last_event_id=${ids[0]}`, { headers: { 'last-event-id': ids[3] } });
  await publish(t, server, 'a', 'live');
  assert.deepEqual(data(await stream.take(2)), ['5', 'live']);
});

test('without a cursor a stream starts now', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 5);
  const stream = await subscribe(t, server, '/events/a');
  await publish(t, server, 'a', 'live');
  assert.equal((await stream.next()).data, 'live');
});

test('resuming after the last event repeats nothing', async (t) => {
  const server = await serve(t);
  const ids = await publishMany(t, server, 5);
  const stream = await subscribe(t, server, '/events/a', { headers: { 'last-event-id': ids[4] } });
  await publish(t, server, 'a', 'live');
  assert.equal((await stream.next()).data, 'live');
});

test('the Last-Event-ID of the response is a cursor to resume from', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 5);
  const first = await subscribe(t, server, '/events/a');
  const cursor = first.head.headers['last-event-id'];
  first.close();
  await publish(t, server, 'a', 'missed');
  const second = await subscribe(t, server, '/events/a', { headers: { 'last-event-id': cursor } });
  assert.equal((await second.next()).data, 'missed');
});

test('the cursor of a topic that nobody has used yet is good for resuming', async (t) => {
  const server = await serve(t);
  const first = await subscribe(t, server, '/events/fresh');
  const cursor = first.head.headers['last-event-id'];
  first.close();
  await publish(t, server, 'fresh', 'missed');
  const second = await subscribe(t, server, `/events/fresh?last_event_id=${cursor}`);
  const event = await second.next();
  assert.deepEqual([event.event, event.data], ['message', 'missed']);
});

test('earliest is all that is kept, without a gap', async (t) => {
  const server = await serve(t, ['--history-count', '3']);
  await publishMany(t, server, 5);
  const stream = await subscribe(t, server, '/events/a?last_event_id=earliest');
  await publish(t, server, 'a', 'live');
  assert.deepEqual(data(await stream.take(4)), ['3', '4', '5', 'live']);
});

test('last=n is the last n of what is kept', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 5);
  assert.deepEqual(data(await (await subscribe(t, server, '/events/a?last=2')).take(2)), ['4', '5']);
  assert.deepEqual(data(await (await subscribe(t, server, '/events/a?last=50')).take(5)), ['1', '2', '3', '4', '5']);
  const none = await subscribe(t, server, '/events/a?last=0');
  await publish(t, server, 'a', 'live');
  assert.equal((await none.next()).data, 'live');
});

test('last=n over several topics is n in all, the newest ones', async (t) => {
  const server = await serve(t);
  for (let i = 1; i <= 3; i++) {
    await publish(t, server, 'a', `a${i}`);
    await publish(t, server, 'b', `b${i}`);
  }
  const stream = await subscribe(t, server, '/events?topic=a&topic=b&last=3');
  await publish(t, server, 'a', 'live');
  assert.deepEqual(data(await stream.take(4)), ['b2', 'a3', 'b3', 'live']);
});

test('since in unix milliseconds and in RFC 3339', async (t) => {
  const server = await serve(t);
  const before = await publish(t, server, 'a', 'before');
  const then = await until(() => Date.now() > Number(before.split('-')[0]) + 1 && Date.now(), 'the clock has moved on');
  await until(() => Date.now() > then, 'the clock has moved on');
  await publish(t, server, 'a', 'after');
  for (const since of [then, new Date(then).toISOString(), new Date(then).toISOString().replace('Z', '%2B00:00')]) {
    const stream = await subscribe(t, server, `/events/a?since=${since}`);
    assert.equal((await stream.next()).data, 'after', since);
    stream.close();
  }
});

test('nonsense in since, last and wait is refused', async (t) => {
  const server = await serve(t);
  for (const query of ['since=yesterday', 'since=2024-13-01T00:00:00Z', 'since=', 'last=-1', 'last=x', 'last=1e3', 'last=99999999999999999999', 'wait=x']) {
    assertProblem(await request(t, server, { path: `/events/a?${query}`, headers: { accept: 'text/event-stream, application/json' } }), 400);
  }
});

test('several topics are merged in the order of publishing', async (t) => {
  const server = await serve(t, ['--workers', '2']);
  const first = await publish(t, server, 'a', 'start');
  const sent = [];
  for (let i = 0; i < 60; i++) {
    const topic = 'abc'[i % 3];
    sent.push(`${topic}${i}`);
    await publish(t, server, topic, sent.at(-1));
  }
  const stream = await subscribe(t, server, `/events?topic=a&topic=b&topic=c&last_event_id=${first}`);
  const events = await stream.take(60);
  assert.deepEqual(data(events), sent);
  assertRising(events.map((event) => event.id));
});

test('a pattern is replayed like the topics that it matches', async (t) => {
  const server = await serve(t);
  const first = await publish(t, server, 'room/1', 'start');
  await publish(t, server, 'room/1', '1');
  await publish(t, server, 'hall/1', 'no');
  await publish(t, server, 'room/2', '2');
  await publish(t, server, 'room/1', '3');
  const stream = await subscribe(t, server, `/events?topic=room/*&last_event_id=${first}`);
  assert.deepEqual(data(await stream.take(3)), ['1', '2', '3']);
});

test('an event of several topics is replayed once', async (t) => {
  const server = await serve(t);
  const first = await publish(t, server, 'a', 'start');
  await postJson(t, server, { topics: ['a', 'b', 'c/d'], data: 'once' });
  await publish(t, server, 'b', 'then');
  const stream = await subscribe(t, server, `/events?topic=a&topic=b&topic=**&last_event_id=${first}`);
  assert.deepEqual(data(await stream.take(2)), ['once', 'then']);
});

test('fields survive the replay', async (t) => {
  const server = await serve(t);
  const live = await subscribe(t, server, '/events/a');
  await publish(t, server, 'a', 'one\ntwo', { event: 'tick', retry: '700' });
  await publish(t, server, 'a', '', { id: 'mine' });
  const replayed = await subscribe(t, server, '/events/a?last_event_id=earliest');
  assert.deepEqual(await replayed.take(2), await live.take(2));
});

test('from replay to live, under publishing, nothing is lost and nothing repeated', async (t) => {
  const server = await serve(t, ['--workers', '2', '--history-count', '5000']);
  const first = await publish(t, server, 'a', '0');
  let next = 1;
  let stop = false;
  const total = () => next - 1;
  const publisher = (async () => {
    while (!stop) {
      const batch = [...Array(20)].map(() => ({ topic: 'a', data: String(next++) }));
      assert.equal((await postJson(t, server, batch)).status, 200);
    }
  })();
  const streams = [];
  for (let i = 0; i < 20; i++) {
    streams.push(await subscribe(t, server, `/events/a?last_event_id=${first}`));
    await streams.at(-1).wait(() => streams.at(-1).queue.length > 0, 'the replay');
  }
  stop = true;
  await publisher;
  for (const stream of streams) {
    const events = await stream.take(total());
    assert.deepEqual(data(events), [...Array(total()).keys()].map((i) => String(i + 1)));
    stream.assertQuiet();
  }
});

test('a reader that reconnects again and again hears each event once', async (t) => {
  const server = await serve(t, ['--workers', '2', '--history-count', '5000']);
  let cursor = await publish(t, server, 'a', '0');
  const publisher = (async () => {
    for (let i = 1; i <= 300; i++) {
      await publish(t, server, 'a', String(i));
    }
  })();
  const heard = [];
  while (heard.length < 300) {
    const stream = await subscribe(t, server, '/events/a', { headers: { 'last-event-id': cursor } });
    const events = await stream.take(Math.min(7, 300 - heard.length));
    stream.close();
    heard.push(...data(events));
    cursor = events.at(-1).id;
  }
  await publisher;
  assert.deepEqual(heard, [...Array(300).keys()].map((i) => String(i + 1)));
});

// Subscribes with a cursor that does not hold, and returns the gap that it is told.
async function gapOf(t, server, cursor, topics = 'topic=a') {
  const stream = await subscribe(t, server, `/events?${topics}`, { headers: { 'last-event-id': cursor } });
  const event = await stream.next();
  assert.equal(event.event, 'freshet.gap', `wanted a gap, got ${JSON.stringify(event)}`);
  return { stream, gap: JSON.parse(event.data) };
}

test('an expired cursor gets a gap, then what there is', async (t) => {
  const server = await serve(t, ['--history-count', '3']);
  const ids = await publishMany(t, server, 10);
  const { stream, gap } = await gapOf(t, server, ids[1]);
  assert.equal(gap.reason, 'expired');
  assert.equal(gap.after, ids[1]);
  assert.equal(gap.before, ids[7], 'the first event that follows the gap');
  await publish(t, server, 'a', 'live');
  assert.deepEqual(data(await stream.take(4)), ['8', '9', '10', 'live']);
});

test('a cursor just before what is kept is no gap', async (t) => {
  const server = await serve(t, ['--history-count', '3']);
  const ids = await publishMany(t, server, 10);
  const stream = await subscribe(t, server, `/events/a?last_event_id=${ids[6]}`);
  assert.deepEqual(data(await stream.take(3)), ['8', '9', '10']);
});

test('events of other topics that have expired are no gap', async (t) => {
  const server = await serve(t, ['--history-count', '3']);
  const first = await publish(t, server, 'a', '1');
  await publishMany(t, server, 10, 'b');
  await publish(t, server, 'a', '2');
  const stream = await subscribe(t, server, `/events/a?last_event_id=${first}`);
  assert.equal((await stream.next()).data, '2');
});

test('a cursor from the future gets a gap and the stream goes on', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 2);
  const { stream, gap } = await gapOf(t, server, `${Date.now() + 3_600_000}-0`);
  assert.equal(gap.reason, 'future');
  await publish(t, server, 'a', 'live');
  assert.equal((await stream.takeUntil((event) => event.data === 'live')).at(-1).data, 'live');
});

test('a cursor from elsewhere gets a gap and the stream goes on', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 2);
  for (const cursor of ['urn:uuid:0b7a', '17', '99999999999999999999999999-1', 'a-b', '-1', '1-', 'x'.repeat(300)]) {
    const { stream, gap } = await gapOf(t, server, cursor);
    assert.equal(gap.reason, 'unknown', cursor);
    await publish(t, server, 'a', `live ${cursor}`);
    await stream.takeUntil((event) => event.data === `live ${cursor}`);
    stream.close();
  }
});

test('a cursor of before a restart gets a gap', async (t) => {
  const before = await serve(t);
  const id = await publish(t, before, 'a', 'x');
  await before.stop();
  const server = await serve(t);
  await gapOf(t, server, id);
});

test('a cursor cannot smuggle a line into the gap', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a?last_event_id=x%0Adata:%20evil%0A%0A%22%5C');
  const event = await stream.next();
  assert.equal(event.event, 'freshet.gap');
  assert.equal(JSON.parse(event.data).reason, 'unknown');
});

test('an empty cursor is no cursor', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 2);
  for (const options of [{ headers: { 'last-event-id': '' } }, {}]) {
    const stream = await subscribe(t, server, '/events/a?last_event_id=', options);
    await publish(t, server, 'a', 'live');
    assert.equal((await stream.next()).data, 'live');
  }
});

test('a publisher\'s own id can be resumed from', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a', '1', { id: 'first' });
  await publish(t, server, 'a', '2', { id: 'second' });
  await publish(t, server, 'a', '3');
  const stream = await subscribe(t, server, '/events/a', { headers: { 'last-event-id': 'first' } });
  const events = await stream.take(2);
  assert.deepEqual(data(events), ['2', '3']);
  assert.equal(events[0].id, 'second');
});

// Of two places the earlier is the safe one: something may come again, but nothing is lost.
test('an own id that was used twice loses nothing', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a', '1', { id: 'same' });
  await publish(t, server, 'a', '2', { id: 'same' });
  await publish(t, server, 'a', '3');
  const stream = await subscribe(t, server, '/events/a?last_event_id=same');
  assert.deepEqual(data(await stream.take(2)), ['2', '3']);
});

test('--history-age forgets', async (t) => {
  const server = await serve(t, ['--history-age', '100ms']);
  await publish(t, server, 'a', 'old');
  await until(async () => {
    const stream = await subscribe(t, server, '/events/a?last_event_id=earliest');
    await publish(t, server, 'a', 'probe', { event: 'probe' });
    const event = await stream.next();
    stream.close();
    return event.data === 'probe';
  }, 'what is old is forgotten', 5000);
});

test('--history-topic-bytes bounds one topic, --history-bytes all of them', async (t) => {
  for (const limit of ['--history-topic-bytes', '--history-bytes']) {
    const server = await serve(t, [limit, '64k', '--history-count', '100000']);
    const big = 'x'.repeat(10_000);
    for (let i = 0; i < 20; i++) {
      await publish(t, server, 'a', big);
    }
    const stream = await subscribe(t, server, '/events/a?last_event_id=earliest');
    await publish(t, server, 'a', 'end');
    const kept = (await stream.takeUntil((event) => event.data === 'end')).length - 1;
    assert.ok(kept >= 1 && kept <= 6, `${limit}: ${kept} of 20 events of 10 KB are kept in 64 KB`);
    await server.stop();
  }
});

test('the global budget takes from the topics that have not been used, not from the newest', async (t) => {
  const server = await serve(t, ['--history-bytes', '100k', '--history-count', '100000']);
  await publish(t, server, 'old', 'x'.repeat(10_000));
  for (let i = 0; i < 20; i++) {
    await publish(t, server, `topic/${i}`, 'x'.repeat(10_000));
  }
  const stream = await subscribe(t, server, '/events?topic=topic/19&topic=old&last_event_id=earliest');
  await publish(t, server, 'old', 'end');
  const events = await stream.takeUntil((event) => event.data === 'end');
  assert.equal(events.length, 2, 'the newest topic is kept, the oldest is not');
});

test('--history-count 0 keeps nothing, and live goes on', async (t) => {
  const server = await serve(t, ['--history-count', '0']);
  await publish(t, server, 'a', 'old');
  const stream = await subscribe(t, server, '/events/a?last=5');
  await publish(t, server, 'a', 'live');
  assert.equal((await stream.next()).data, 'live');
});
