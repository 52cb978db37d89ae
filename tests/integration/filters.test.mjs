// Filters: `event` on a subscribe lets only those types through, live and from the past, in every representation,
// and a listener that resumes after a long time without an event of its own is told of no gap.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  apiTopics, assertProblem, connect, metric, postJson, publish, request, serve, subscribe, subscribeHead, test, until,
  untilSubscribers,
} from './harness/index.mjs';

const json = { accept: 'application/json' };
const data = (events) => events.map((event) => event.data);

async function publishAll(t, server, events) {
  const response = await postJson(t, server, events);
  assert.equal(response.status, 200, response.body);
  return response.json().map(({ id }) => id);
}

const read = async (t, server, query) => {
  const response = await request(t, server, { path: `/events?${query}`, headers: json });
  assert.equal(response.status, 200, response.body);
  return response.json();
};

function directory(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'freshet-data-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const kinds = [['in memory', () => []], ['on disk', (t) => ['--data', directory(t)]]];

test('a live listener hears its types only, and message is the type of an event without one', async (t) => {
  const server = await serve(t);
  const one = await subscribe(t, server, '/events/a?event=x');
  const two = await subscribe(t, server, '/events/a?event=y&event=message');
  const all = await subscribe(t, server, '/events/a');
  await publishAll(t, server, [
    { topic: 'a', event: 'x', data: '1' }, { topic: 'a', data: '2' }, { topic: 'a', event: 'y', data: '3' },
    { topic: 'a', event: 'z', data: '4' }, { topic: 'a', event: 'message', data: '5' }, { topic: 'a', event: 'x', data: '6' },
  ]);
  assert.deepEqual(data(await one.take(2)), ['1', '6']);
  assert.deepEqual(data(await two.take(3)), ['2', '3', '5']);
  assert.deepEqual(data(await all.take(6)), ['1', '2', '3', '4', '5', '6']);
  one.assertQuiet();
  two.assertQuiet();
});

test('a filter goes with patterns and several topics, as JSON and NDJSON', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events?topic=r/*&topic=b&event=x&limit=3', { headers: { accept: 'application/x-ndjson' } }));
  await socket.readHead();
  await untilSubscribers(t, server, 1);
  await publishAll(t, server, [
    { topic: 'r/1', event: 'x', data: '1' }, { topic: 'r/1', data: '2' }, { topic: 'b', event: 'x', data: '3' },
    { topic: 'c', event: 'x', data: '4' }, { topics: ['b', 'r/2'], event: 'x', data: '5' },
  ]);
  const got = (await socket.readToEnd()).toString().trim().split('\n').filter((line) => line).map((line) => JSON.parse(line));
  assert.deepEqual(data(got), ['1', '3', '5']);
  assert.deepEqual(data(await read(t, server, 'topic=r/*&topic=b&event=x&last_event_id=earliest')), ['1', '3', '5']);
  assert.deepEqual(data(await read(t, server, 'topic=**&event=message&last_event_id=earliest')), ['2']);
  assert.deepEqual(data(await read(t, server, 'topic=b&topic=r/*&event=x&last=2')), ['3', '5']);
  assert.deepEqual(data(await read(t, server, 'topic=b&event=x&last=1')), ['5']);
});

test('a poll with a filter waits for its own type', async (t) => {
  const server = await serve(t);
  const waiting = read(t, server, 'topic=a&event=x&wait=30');
  await untilSubscribers(t, server, 1);
  await publish(t, server, 'a', 'other', { event: 'y' });
  await publish(t, server, 'a', 'mine', { event: 'x' });
  assert.deepEqual(data(await waiting), ['mine']);
});

test('what a filter leaves out takes no place in a window', async (t) => {
  const server = await serve(t, ['--window-bytes', '16k', '--workers', '1']);
  const stream = await subscribe(t, server, '/events/a?event=x');
  await publishAll(t, server, Array.from({ length: 500 }, (_, i) => ({ topic: 'a', event: 'y', data: String(i).padEnd(200) })));
  await publish(t, server, 'a', 'mine', { event: 'x' });
  assert.equal((await stream.next()).data, 'mine');
  assert.equal(await metric(t, server, 'freshet_window_drops_total'), 0);
});

for (const [kind, args] of kinds) {
  test(`pages with a filter go on where the last one ended, ${kind}`, async (t) => {
    const server = await serve(t, [...args(t), '--history-count', '5000']);
    await publishAll(t, server, Array.from({ length: 3000 }, (_, i) => ({ topic: 'a', event: i % 100 ? 'y' : 'x', data: String(i) })));
    const seen = [];
    for (let link = '/events/a?last_event_id=earliest&event=x&limit=7'; link;) {
      const page = await request(t, server, { path: link, headers: json });
      assert.equal(page.status, 200, page.body);
      seen.push(...data(page.json()));
      link = page.headers.link?.match(/<([^>]*)>/)[1];
      link = link && new URL(link, `${server.url}/events/a`).href.slice(server.url.length);
    }
    assert.deepEqual(seen, Array.from({ length: 30 }, (_, i) => String(100 * i)));
    assert.deepEqual(await read(t, server, 'topic=a&event=none&last_event_id=earliest'), []);
  });

  test(`whoever heard nothing for long, because others had the events, has missed nothing, ${kind}`, async (t) => {
    const server = await serve(t, [...args(t), '--history-count', '50']);
    const stream = await subscribe(t, server, '/events/s/a?event=rare');
    const id = await publish(t, server, 's/a', 'first', { event: 'rare' });
    assert.equal((await stream.next()).id, id);
    stream.socket.close();
    await publishAll(t, server, Array.from({ length: 400 }, (_, i) => ({ topic: 's/a', event: 'tick', data: String(i) })));
    await until(async () => (await apiTopics(t, server))[0].events === 50, 'history has moved on');
    const again = [], late = [];
    for (const topic of ['s/a', 's/*', '**']) {
      again.push(await subscribe(t, server, `/events/${topic}?event=rare`, { headers: { 'last-event-id': id } }));
      late.push(await subscribe(t, server, `/events/${topic}?event=tick`, { headers: { 'last-event-id': id } }));
    }
    const next = await publish(t, server, 's/a', 'next', { event: 'rare' });
    for (const stream of again) {
      assert.deepEqual(await stream.next(), { event: 'rare', id: next, data: 'next' });
    }
    // And whoever did miss something is told.
    for (const stream of late) {
      assert.equal((await stream.next()).event, 'freshet.gap');
    }
  });
}

test('it survives a restart on disk', async (t) => {
  const args = ['--data', directory(t), '--history-count', '50'];
  const first = await serve(t, args);
  const id = await publish(t, first, 'a', 'first', { event: 'rare' });
  await publishAll(t, first, Array.from({ length: 200 }, (_, i) => ({ topic: 'a', event: 'tick', data: String(i) })));
  await until(async () => (await apiTopics(t, first))[0].events === 50, 'history has moved on');
  first.kill('SIGKILL');
  await first.ending();
  const second = await serve(t, args);
  const stream = await subscribe(t, second, '/events/a?event=rare', { headers: { 'last-event-id': id } });
  const next = await publish(t, second, 'a', 'next', { event: 'rare' });
  assert.deepEqual(await stream.next(), { event: 'rare', id: next, data: 'next' });
});

test('a type that no publisher could give is refused', async (t) => {
  const server = await serve(t);
  const many = Array.from({ length: 33 }, (_, i) => `event=${i}`).join('&');
  for (const query of ['event=', 'event=a%0Ab', 'event=freshet.gap', `event=${'x'.repeat(257)}`, 'event=%FF', many]) {
    assertProblem(await request(t, server, { path: `/events/a?${query}`, headers: json }), 400);
  }
});
