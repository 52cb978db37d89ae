// The newest of each key: with latest=1 a listener begins with a snapshot of what is held, and one that lags gets the
// newest of what it missed; over every transport, from memory and from disk.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import {
  apiTopics, assertProblem, assertRising, connect, metric, postJson, publish, request, serve, subscribe, subscribeHead,
  test, until, untilSubscribers, within, withoutCompression,
} from './harness/index.mjs';
import { connectH2, subscribeH2 } from './harness/h2.mjs';

const json = { accept: 'application/json' };
const data = (events) => events.map((event) => event.data);
const SYMBOLS = 1000, ROUNDS = 3;

function directory(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'freshet-data-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const kinds = [['in memory', () => []], ['on disk', (t) => ['--data', directory(t)]]];

async function publishAll(t, server, events) {
  const ids = [];
  for (let at = 0; at < events.length; at += 5000) {
    const response = await postJson(t, server, events.slice(at, at + 5000));
    assert.equal(response.status, 200, response.body);
    ids.push(...response.json().map(({ id }) => id));
  }
  return ids;
}

// Rounds of prices: "<symbol> <round>", each symbol a key, and now and then an event without one.
async function publishPrices(t, server, { topic = 'prices', rounds = ROUNDS, symbols = SYMBOLS, from = 0 } = {}) {
  const events = [];
  for (let round = from; round < from + rounds; round++) {
    for (let symbol = 0; symbol < symbols; symbol++) {
      events.push({ topic, event: 'price', key: `s${symbol}`, data: `${symbol} ${round}` });
    }
    events.push({ topic, data: `round ${round}` });
  }
  return publishAll(t, server, events);
}

const newest = (round = ROUNDS - 1, symbols = SYMBOLS) => Array.from({ length: symbols }, (_, i) => `${i} ${round}`);
const ample = ['--history-count', '100000', '--max-answer', '1m'];

const page = async (t, server, query) => {
  const response = await request(t, server, { path: `/events/prices?${query}`, headers: json });
  assert.equal(response.status, 200, response.body);
  return response;
};

for (const [kind, args] of kinds) {
  test(`a late joiner gets the newest of each key, in order, and then goes on live: ${kind}`, async (t) => {
    const server = await serve(t, [...args(t), ...ample, '--workers', '1']);
    await publishPrices(t, server, { rounds: ROUNDS - 1 });
    // One that was there before: the window of the feed that they share has what was replaced since.
    const first = await subscribe(t, server, '/events/prices?latest=1');
    assert.deepEqual(data(await first.take(SYMBOLS)), newest(ROUNDS - 2));
    await publishPrices(t, server, { rounds: 2, from: ROUNDS - 1 });
    assert.equal((await first.take(2 * SYMBOLS + 2)).at(-1).data, `round ${ROUNDS}`);
    const stream = await subscribe(t, server, '/events/prices?latest=1&control=1');
    const lines = await connect(t, server);
    lines.send(subscribeHead(server, `/events/prices?latest=1&limit=${SYMBOLS + 1}`, { headers: { accept: 'application/x-ndjson' } }));
    const h2 = await subscribeH2(await connectH2(t, server), '/events/prices?latest=1');
    await lines.readHead();
    await untilSubscribers(t, server, 4);
    assert.equal((await stream.next()).event, 'freshet.connection');
    const snapshot = await stream.take(SYMBOLS);
    assert.deepEqual(data(snapshot), newest(ROUNDS));
    assert.equal((await stream.next()).event, 'freshet.caught-up');
    await publish(t, server, 'prices', 'news'); // without a key: live
    assert.equal((await stream.next()).data, 'news');
    assertRising(snapshot.map(({ id }) => id));
    const read = (await lines.readToEnd()).trimEnd().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(data(read), [...newest(ROUNDS), 'news']);
    assert.equal(read[1].key, 's1');
    assert.deepEqual(data(await h2.take(SYMBOLS + 1)), [...newest(ROUNDS), 'news']);
    assert.deepEqual(data((await page(t, server, 'latest=1')).json()), newest(ROUNDS));
  });

  test(`a snapshot as pages, whatever comes in between: ${kind}`, async (t) => {
    const server = await serve(t, [...args(t), ...ample]);
    await publishPrices(t, server, { rounds: 1 });
    const seen = [], ids = [];
    let link = '/events/prices?latest=1&limit=90', pages = 0;
    do {
      const response = await request(t, server, { path: link, headers: json });
      assert.equal(response.status, 200, response.body);
      const events = response.json();
      seen.push(...events);
      ids.push(...events.map(({ id }) => id));
      pages++;
      if (pages === 3) {
        await publish(t, server, 'prices', 'news');
        await publishPrices(t, server, { rounds: 1, symbols: 500, from: 1 });
      }
      link = response.headers.link?.match(/<([^>]*)>/)[1];
      link = link && new URL(link, `${server.url}/events/prices`).href.slice(server.url.length);
    } while (link);
    assertRising(ids);
    const last = new Map(seen.filter(({ key }) => key).map((event) => [event.key, event.data]));
    assert.deepEqual(newest(0).map((text) => text.split(' ')[0]).filter((s) => last.get(`s${s}`) !== `${s} ${s < 500 ? 1 : 0}`), []);
    assert.ok(seen.some((event) => event.data === 'news'), 'what came after the beginning is there');
    assert.ok(!seen.some((event) => event.data === 'round 0'), 'what has no key and was there before is not');
    assert.equal(seen.length, 270 + 500 + 500 + 2, 'what was replaced before its page is not');
  });

  test(`whoever resumes gets the newest of what it missed: ${kind}`, async (t) => {
    const server = await serve(t, [...args(t), ...ample]);
    const ids = await publishPrices(t, server, { symbols: 10 });
    const at = { headers: { 'last-event-id': ids[4] } };
    const stream = await subscribe(t, server, '/events/prices?latest=1', at);
    const expected = ['round 0', 'round 1', ...newest(2, 10), 'round 2'];
    assert.deepEqual(data(await stream.take(13)), expected);
    const all = await subscribe(t, server, '/events/prices', at);
    assert.equal((await all.take(28)).length, 28);
    for (const query of [`latest=1&last_event_id=${ids[4]}`, `latest=1&last_event_id=${ids[4]}&limit=50`]) {
      assert.deepEqual(data((await page(t, server, query)).json()), expected);
    }
    assert.deepEqual(data((await page(t, server, 'latest=1&last=3')).json()), ['8 2', '9 2', 'round 2']);
    // A cursor that says nothing: a snapshot.
    const lost = (await page(t, server, 'latest=1&last_event_id=nobody')).json();
    assert.equal(lost[0].event, 'freshet.gap');
    assert.deepEqual(data(lost.slice(1)), newest(2, 10));
  });

  test(`with patterns, several topics and a filter: ${kind}`, async (t) => {
    const server = await serve(t, [...args(t), ...ample]);
    await publishAll(t, server, [
      { topic: 'p/a', key: 'k', event: 'ask', data: '1' }, { topic: 'p/a', key: 'k', event: 'bid', data: '2' },
      { topic: 'p/b', key: 'k', event: 'ask', data: '3' }, { topic: 'p/a', key: 'k', event: 'ask', data: '4' },
      { topics: ['p/a', 'p/b'], key: 'both', event: 'ask', data: '5' }, { topic: 'q', key: 'k', data: '6' },
      { topic: 'p/b', key: 'both', event: 'ask', data: '7' }, { topic: 'p/a', data: '8' },
    ]);
    const read = async (query) => data((await request(t, server, { path: `/events?latest=1&${query}`, headers: json })).json());
    assert.deepEqual(await read('topic=p/a'), ['2', '4', '5']);
    assert.deepEqual(await read('topic=p/b'), ['3', '7']);
    assert.deepEqual(await read('topic=p/*'), ['2', '3', '4', '5', '7']);
    assert.deepEqual(await read('topic=q&topic=p/b'), ['3', '6', '7']);
    assert.deepEqual(await read('topic=**&event=bid'), ['2']);
    assert.deepEqual(await read('topic=p/a&event=ask&event=message'), ['4', '5']);
    assert.deepEqual(await read('topic=p/a&event=none'), []);
  });

  test(`values that retention dropped are gone, and what replaced them is no gap: ${kind}`, async (t) => {
    const server = await serve(t, [...args(t), '--history-count', '30']);
    const ids = await publishPrices(t, server, { symbols: 10, rounds: 20 });
    await until(async () => (await apiTopics(t, server))[0].events === 30, 'history has moved on');
    const at = { headers: { 'last-event-id': ids[3] } };
    const keyed = await subscribe(t, server, '/events/prices?latest=1&event=price', at);
    assert.deepEqual(data(await keyed.take(10)), newest(19, 10));
    // Events without a key are missed when they are gone.
    const all = await subscribe(t, server, '/events/prices?latest=1', at);
    assert.equal((await all.next()).event, 'freshet.gap');
    assert.deepEqual(data(await all.take(12)), ['round 17', 'round 18', ...newest(19, 10)]);
    // And a key whose last value is gone, also from the windows.
    keyed.close();
    all.close();
    await untilSubscribers(t, server, 0);
    await publish(t, server, 'prices', 'late', { key: 'rare', event: 'price' });
    const rare = (await page(t, server, 'latest=1&event=price')).json().at(-1);
    assert.equal(rare.data, 'late');
    await publishPrices(t, server, { symbols: 1, rounds: 30, from: 20 });
    await until(async () => (await page(t, server, 'latest=1')).json().length === 1, 'the others have gone');
    const late = await subscribe(t, server, '/events/prices?latest=1&event=price', { headers: { 'last-event-id': ids.at(-1) } });
    assert.equal((await late.next()).event, 'freshet.gap');
    assert.equal((await late.next()).data, '0 49');
  });

  test(`a reader that lags gets the newest of each key and no gap, one without latest every event or a gap: ${kind}`, async (t) => {
    const limits = ['--workers', '1', '--window-bytes', '64k', '--socket-buffer', '16k', '--history-count', '3000'];
    const server = await serve(t, [...args(t), ...limits]);
    const padding = 'x'.repeat(400);
    const slow = await subscribe(t, server, '/events/prices?latest=1&control=0');
    const other = await subscribe(t, server, '/events/prices');
    slow.socket.pause();
    other.socket.pause();
    const symbols = 50, rounds = 400;
    for (let from = 0; from < rounds; from += 20) {
      await publishAll(t, server, Array.from({ length: 20 * symbols }, (_, i) => (
        { topic: 'prices', key: `s${i % symbols}`, data: `${i % symbols} ${from + Math.floor(i / symbols)} ${padding}` })));
    }
    await until(async () => (await apiTopics(t, server))[0].events === 3000, 'history has moved on');
    assert.ok(await metric(t, server, 'freshet_stalls_total') >= 2);
    slow.socket.resume();
    other.socket.resume();
    await publish(t, server, 'prices', 'end');
    const got = await slow.takeUntil((event) => event.data === 'end');
    assertRising(got.map(({ id }) => id));
    assert.ok(!got.some(({ event }) => event === 'freshet.gap'), 'no gap');
    assert.ok(got.length < rounds * symbols / 2, `it got ${got.length} events`);
    const tail = new Map(got.slice(0, -1).map((event) => [event.data.split(' ')[0], event.data.split(' ')[1]]));
    assert.deepEqual([...tail.values()], Array(symbols).fill(String(rounds - 1)));
    const heard = await other.takeUntil((event) => event.data === 'end');
    assert.ok(heard.some(({ event }) => event === 'freshet.gap'), 'a gap');
  });
}

test('a snapshot outlives a crash, on disk', async (t) => {
  const args = ['--data', directory(t), ...ample];
  const first = await serve(t, args);
  await publishPrices(t, first, { symbols: 100 });
  first.kill('SIGKILL');
  await first.ending();
  const second = await serve(t, args);
  assert.deepEqual(data((await page(t, second, 'latest=1')).json()), newest(2, 100));
  await publish(t, second, 'prices', 'new', { key: 's7', event: 'price' });
  const stream = await subscribe(t, second, '/events/prices?latest=1');
  assert.deepEqual(data(await stream.take(100)), [...newest(2, 100).filter((text) => text !== '7 2'), 'new']);
});

test('with nothing to begin with a listener hears what comes, and a poll waits for it', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'prices', 'no key');
  const stream = await subscribe(t, server, '/events/prices?latest=1');
  const waiting = page(t, server, 'latest=1&wait=30');
  await untilSubscribers(t, server, 2);
  await publish(t, server, 'prices', '1', { key: 'k' });
  assert.equal((await stream.next()).data, '1');
  assert.deepEqual(data((await waiting).json()), ['1']);
  assert.deepEqual((await page(t, server, 'latest=1&event=other')).json(), []);
});

test('latest is 1 or 0', async (t) => {
  const server = await serve(t);
  for (const value of ['', '2', 'yes', '-1', '1-']) {
    assertProblem(await request(t, server, { path: `/events/a?latest=${value}`, headers: json }), 400);
  }
  await publish(t, server, 'a', 'x', { key: 'k' });
  assert.deepEqual((await request(t, server, { path: '/events/a?latest=0', headers: json })).json(), []);
});

test('a snapshot and a catch-up that begin alike are not packed alike', { skip: withoutCompression() }, async (t) => {
  const server = await serve(t, ['--workers', '1']);
  await publishAll(t, server, [{ topic: 'a', key: 'one', data: 'first' }, { topic: 'a', data: 'news' }, { topic: 'a', key: 'two', data: 'last' }]);
  const session = await connectH2(t, server);
  // In one packet, so that both are served in one go.
  const streams = ['', '&last_event_id=earliest'].map((more) => session.request({ ':path': `/events/a?latest=1${more}`, 'accept-encoding': 'gzip' }));
  const texts = await Promise.all(streams.map((stream) => within(new Promise((resolve) => {
    let text = '';
    stream.pipe(createGunzip()).on('data', (piece) => {
      text += piece;
      text.includes('data: last') && resolve(text);
    }).on('error', () => {});
  }), 'the last event')));
  const heard = texts.map((text) => [...text.matchAll(/^data: (.*)$/gm)].map((match) => match[1]));
  assert.deepEqual(heard, [['first', 'last'], ['first', 'news', 'last']]);
  streams.forEach((stream) => stream.close());
});
