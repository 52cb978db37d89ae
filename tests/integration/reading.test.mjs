// Reading history as an API: pages of JSON that link to the next, and newline-delimited JSON that ends.

import assert from 'node:assert/strict';
import {
  assertProblem, assertRising, big, connect, limitHits, order, postJson, publish, request, serve, subscribe, subscribeHead,
  test, untilSubscribers,
} from './harness/index.mjs';

const json = { accept: 'application/json' };
const ndjson = { accept: 'application/x-ndjson' };

async function publishMany(t, server, count, topicOf = () => 'a', size = 0) {
  const batch = Math.min(5000, Math.floor(1_000_000 / (size + 60))); // below --max-body
  for (let from = 0; from < count; from += batch) {
    const events = Array.from({ length: Math.min(batch, count - from) }, (_, i) => (
      { topic: topicOf(from + i), data: String(from + i).padEnd(size, '.') }));
    const response = await postJson(t, server, events);
    assert.equal(response.status, 200, response.body);
  }
}

const read = (t, server, path, headers = json) => request(t, server, { path, headers });

// The URL that Link names, as a client resolves it against the one it asked for.
function next(response, path) {
  const [, target] = response.headers.link?.match(/^<([^>]*)>; rel="next"$/) ?? [];
  return target === undefined ? undefined : new URL(target, new URL(path, 'http://h')).href.slice('http://h'.length);
}

// Follows Link to the end; returns the pages, each an array of events.
async function follow(t, server, path) {
  const pages = [];
  for (let at = path; at; ) {
    const response = await read(t, server, at);
    assert.equal(response.status, 200, response.body);
    pages.push(response.json());
    at = next(response, at);
    assert.ok(pages.length < 20_000, 'the pages have an end');
  }
  return pages;
}

const data = (events) => events.map((event) => parseInt(event.data, 10));
const upTo = (count, from = 0) => Array.from({ length: count - from }, (_, i) => from + i);

test('a page has so many events, and a link to the next one', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 25);
  const pages = await follow(t, server, '/events/a?last_event_id=earliest&limit=10');
  assert.deepEqual(pages.map((page) => page.length), [10, 10, 5]);
  assert.deepEqual(data(pages.flat()), upTo(25));
});

test('a page that ends with the newest event is the last', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 20);
  const response = await read(t, server, '/events/a?last_event_id=earliest&limit=20');
  assert.equal(response.json().length, 20);
  assert.equal(response.headers.link, undefined);
  const after = await read(t, server, `/events/a?limit=20&last_event_id=${response.headers['last-event-id']}`);
  assert.deepEqual([after.json(), after.headers.link], [[], undefined]);
});

test('the link keeps what was asked but the place to start', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 9, (i) => ['a', 'b/c', 'd e'][i % 3]);
  const path = '/events/a?topic=b%2F*&last=8&t%6Fpic=d+e&since=0&x="<y>&limit=3&&wait=0&l%61st=8';
  const response = await read(t, server, path);
  assert.equal(response.headers.link, `<?topic=b%2F*&t%6Fpic=d+e&x=%22%3Cy%3E&limit=3&wait=0&last_event_id=${
    response.headers['last-event-id']}>; rel="next"`);
  assert.deepEqual(data((await follow(t, server, path)).flat()), upTo(9, 1));
});

test('last and since say where the first page begins', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 20);
  const pages = await follow(t, server, '/events/a?last=7&limit=3');
  assert.deepEqual(pages.map(data), [[13, 14, 15], [16, 17, 18], [19]]);
  assert.deepEqual(data((await follow(t, server, '/events/a?since=2020-01-01T00:00:00Z&limit=6')).flat()).slice(-20), upTo(20));
});

test('following links through 100,000 events returns each once', { timeout: 120_000 }, async (t) => {
  const count = big ? 1_000_000 : 100_000;
  const server = await serve(t, ['--history-count', '2000000', '--history-topic-bytes', '0', '--history-bytes', '2g']);
  await publishMany(t, server, count, (i) => `t/${i % 7}`);
  const heard = (await follow(t, server, '/events?topic=t/1&topic=t/0&topic=t/2&topic=t/3&topic=t/4&topic=t/5&topic=t/6&limit=3000&last_event_id=earliest')).flat();
  assert.deepEqual(data(heard), upTo(count));
  assertRising(heard.map((event) => event.id));
  const byPattern = (await follow(t, server, '/events?topic=t/*&limit=10000&last_event_id=earliest')).flat();
  assert.deepEqual(data(byPattern), upTo(count));
});

test('pages stay whole while others publish and listen', async (t) => {
  const server = await serve(t, ['--history-count', '100000']);
  const stream = await subscribe(t, server, '/events/a');
  await publishMany(t, server, 3000);
  let more = 3000;
  const publishing = (async () => {
    for (; more < 3300; more++) {
      await publish(t, server, 'a', String(more));
    }
  })();
  const heard = [];
  for (let at = '/events/a?last_event_id=earliest&limit=70'; heard.length < 3300; ) {
    const response = await read(t, server, at);
    heard.push(...response.json());
    at = next(response, at) ?? `/events/a?wait=10&limit=70&last_event_id=${response.headers['last-event-id']}`;
  }
  await publishing;
  assert.deepEqual(data(heard), upTo(3300));
  assert.deepEqual(data(await stream.take(3300)), upTo(3300));
});

test('an answer is bounded in bytes, whatever the limit', async (t) => {
  const server = await serve(t, ['--max-answer', '10k']);
  await publishMany(t, server, 100, undefined, 1000);
  const pages = await follow(t, server, '/events/a?last_event_id=earliest&limit=1000000');
  assert.ok(pages.length > 10);
  for (const page of pages) {
    assert.ok(JSON.stringify(page).length <= 10 * 1024);
  }
  assert.deepEqual(data(pages.flat()), upTo(100));
  assert.ok((await limitHits(t, server, 'max-answer')) >= 10);
});

test('an event that is larger than an answer may be is an answer by itself', async (t) => {
  const server = await serve(t, ['--max-answer', '4k']);
  await publish(t, server, 'a', '0');
  await publish(t, server, 'a', '1'.padEnd(50_000, '"'));
  await publish(t, server, 'a', '2');
  const pages = await follow(t, server, '/events/a?last_event_id=earliest&limit=9');
  assert.deepEqual(pages.map(data), [[0], [1], [2]]);
});

test('a limit bounds what a waiting poll brings home too', async (t) => {
  const server = await serve(t);
  const waiting = read(t, server, '/events/a?wait=30&limit=2');
  await untilSubscribers(t, server, 1);
  await publishMany(t, server, 5);
  const response = await waiting;
  const rest = await follow(t, server, next(response, '/events/a?wait=30&limit=2').replace('wait=30', 'wait=0'));
  assert.deepEqual(data([response.json(), ...rest].flat()), upTo(5));
  assert.equal(response.json().length, 2);
});

test('a gap stands in front of the first page, and counts for nothing', async (t) => {
  const server = await serve(t, ['--history-count', '10']);
  const first = await publish(t, server, 'a', 'x');
  await publishMany(t, server, 20);
  const pages = await follow(t, server, `/events/a?last_event_id=${first}&limit=5`);
  assert.deepEqual(pages.map((page) => page.length), [6, 5]);
  assert.equal(pages[0][0].event, 'freshet.gap');
  assert.deepEqual(data(pages.flat().slice(1)), upTo(20, 10));
  const unknown = await follow(t, server, '/events/a?last_event_id=nobody-has-it&limit=4');
  assert.deepEqual(unknown.map((page) => page.length), [5, 4, 2]);
});

test('newline-delimited JSON with a limit ends after so many events', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 3000, undefined, 100);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a?last=600&limit=500', { headers: ndjson }));
  await socket.readHead();
  const lines = (await socket.readToEnd()).trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(data(lines), upTo(2900, 2400));
});

test('with a limit alone it waits for as many', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 2);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a?last=2&limit=3', { headers: ndjson }));
  await socket.readHead();
  await socket.readUntil(/"data":"1"\}\n/);
  await publishMany(t, server, 3);
  assert.equal((await socket.readToEnd()).split('\n').length, 2);
});

test('with wait=0 it ends when it has everything, also with control events', async (t) => {
  const server = await serve(t, ['--history-count', '10000']);
  await publishMany(t, server, 5000, undefined, 200);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a?last_event_id=earliest&wait=0&control=1', { headers: ndjson }));
  await socket.readHead();
  const lines = (await socket.readToEnd()).trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(lines.pop().event, 'freshet.caught-up');
  assert.equal(lines.shift().event, 'freshet.connection');
  assert.deepEqual(data(lines), upTo(5000));
  const empty = await connect(t, server);
  empty.send(subscribeHead(server, '/events/nothing?wait=0', { headers: ndjson }));
  await empty.readHead();
  assert.equal(await empty.readToEnd(), '');
});

test('a slow reader of newline-delimited JSON gets all of it before the end', async (t) => {
  const server = await serve(t, ['--socket-buffer', '4k', '--history-count', '10000']);
  await publishMany(t, server, 4000, undefined, 1000);
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a?last_event_id=earliest&wait=0&limit=3999', { headers: ndjson }));
  await socket.readHead();
  socket.pause();
  await publish(t, server, 'b', 'the loop goes on');
  socket.resume();
  const lines = (await socket.readToEnd()).trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(data(lines), upTo(3999));
});

test('an event stream goes on whatever the limit', async (t) => {
  const server = await serve(t);
  await publishMany(t, server, 5);
  const stream = await subscribe(t, server, '/events/a?last=5&limit=2&wait=0');
  await publish(t, server, 'a', '5');
  assert.deepEqual(data(await stream.take(6)), upTo(6));
});

test('a limit that makes no sense', async (t) => {
  const server = await serve(t);
  for (const limit of ['0', '-1', '1e99', '1000001', '18446744073709551616', '1.5', '', '%20', 'all', '0x10', '9'.repeat(1000)]) {
    for (const headers of [json, ndjson, {}]) {
      const problem = assertProblem(await read(t, server, `/events/a?limit=${limit}`, headers), 400);
      assert.match(problem.detail, /`limit` takes a number of events from 1 to 1000000/);
    }
  }
});

test('a page of an allowed origin may see the link', async (t) => {
  const server = await serve(t, ['--cors-origin', '*']);
  const response = await read(t, server, '/events/a', { ...json, origin: 'https://page.example' });
  assert.match(response.headers['access-control-expose-headers'], /\bLink\b/);
});

test('pages of large events are put together without keeping others waiting', async (t) => {
  const server = await serve(t, ['--workers', '1', '--max-answer', '64m', '--history-topic-bytes', '0', '--history-count', '100000']);
  await publishMany(t, server, 5000, undefined, 1000);
  const page = read(t, server, '/events/a?last_event_id=earliest&limit=5000');
  const stream = await subscribe(t, server, '/events/b');
  const id = await publish(t, server, 'b', 'now');
  assert.equal(order((await stream.next()).id), order(id));
  assert.equal((await page).json().length, 5000);
});
