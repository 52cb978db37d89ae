// Polling: the way on in the body, conditions, what caches between may do, and that they do it.

import assert from 'node:assert/strict';
import http from 'node:http';
import { connect, metric, publish, request, serve, test, untilSubscribers } from './harness/index.mjs';
import { missingProxy, startProxy } from './harness/proxies.mjs';

const json = { accept: 'application/json' };
const poll = (t, server, path, headers = {}) => request(t, server, { path, headers: { ...json, ...headers } });
const data = (events) => events.map((event) => event.data);

test('an envelope says in the body where to go on', async (t) => {
  const server = await serve(t);
  const heard = [];
  let next = (await poll(t, server, '/events/a?envelope=1')).json().next;
  for (let i = 0; i < 5; i++) {
    await publish(t, server, 'a', String(i));
  }
  for (let more = true; more;) {
    const page = (await poll(t, server, `/events/a?envelope=1&limit=2&last_event_id=${next}`)).json();
    heard.push(...page.events);
    ({ next, more } = page);
  }
  assert.deepEqual(data(heard), ['0', '1', '2', '3', '4']);
  const waiting = poll(t, server, `/events/a?envelope=1&wait=30&last_event_id=${next}`);
  await untilSubscribers(t, server, 1);
  const id = await publish(t, server, 'a', 'live');
  const page = (await waiting).json();
  assert.deepEqual(page, { events: [{ id, topic: 'a', event: 'message', data: 'live' }], next: id, more: false });
});

test('a poll that waits can be followed by its Link alone', async (t) => {
  const server = await serve(t);
  let path = '/events/a?wait=30&last_event_id=earliest';
  for (const word of ['one', 'two', 'three']) {
    const waiting = poll(t, server, path);
    if (word !== 'one') {
      await untilSubscribers(t, server, 1);
    }
    await publish(t, server, 'a', word);
    const answer = await waiting;
    assert.deepEqual(data(answer.json()), [word]);
    const [, link] = answer.headers.link.match(/^<([^>]*)>; rel="next"$/);
    path = `/events/a${link}`;
  }
});

test('what has not changed is not sent again, and the connection goes on', async (t) => {
  const server = await serve(t);
  await publish(t, server, 'a', 'x');
  const first = await poll(t, server, '/events/a?last=1');
  const tag = first.headers.etag;
  assert.match(tag, /^"[^"]+"$/);
  const socket = await connect(t, server);
  for (let i = 0; i < 2; i++) {
    socket.send(`GET /events/a?last=1 HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\nIf-None-Match: ${tag}\r\n\r\n`);
    const answer = await socket.readResponse();
    assert.equal(answer.status, 304);
    assert.equal(answer.headers.etag, tag);
    assert.equal(answer.headers['content-length'], undefined);
  }
  await publish(t, server, 'a', 'y');
  const changed = await poll(t, server, '/events/a?last=1', { 'if-none-match': tag });
  assert.equal(changed.status, 200);
  assert.deepEqual(data(changed.json()), ['y']);
});

test('a poll that ends with nothing is 304 to who has nothing already', async (t) => {
  const server = await serve(t);
  const cursor = await publish(t, server, 'a', 'x');
  const path = `/events/a?last_event_id=${cursor}`;
  const empty = await poll(t, server, path);
  assert.deepEqual(empty.json(), []);
  const waited = await poll(t, server, `${path}&wait=1`, { 'if-none-match': empty.headers.etag });
  assert.equal(waited.status, 304);
  assert.equal(waited.body, '');
  assert.equal(waited.headers['last-event-id'], cursor);
});

test('HEAD says what a poll would be, and does not wait', async (t) => {
  const server = await serve(t);
  const id = await publish(t, server, 'a', 'x');
  for (const accept of ['application/json', 'application/x-ndjson']) {
    const head = await request(t, server, { method: 'HEAD', path: '/events/a?wait=30&limit=1', headers: { accept } });
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-type'], accept);
    assert.equal(head.headers['last-event-id'], id);
    assert.equal(head.body, '');
  }
});

const opened = (t, server) => metric(t, server, 'freshet_subscriptions_opened_total');

// A request of its own connection, as a browser's.
function get(t, proxy, path, headers = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = http.get(`${proxy.url}${path}`, { agent: false, headers: { ...json, ...headers } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text) => { body += text; });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    outgoing.on('error', reject);
    t.after(() => outgoing.destroy());
  });
}

const crowd = (t, proxy, path, headers) => Promise.all(Array.from({ length: 100 }, () => get(t, proxy, path, headers)));

const varnish = { skip: missingProxy('varnish') };

test('behind Varnish, a hundred equal polls are one', varnish, async (t) => {
  const server = await serve(t, ['--cache-age', '5m']);
  const proxy = await startProxy(t, 'varnish', server);
  let cursor = await publish(t, server, 'a', 'before');
  for (const word of ['one', 'two', 'three']) {
    const before = await opened(t, server);
    const all = crowd(t, proxy, `/events/a?wait=30&last_event_id=${cursor}`);
    await untilSubscribers(t, server, 1);
    const id = await publish(t, server, 'a', word);
    for (const answer of await all) {
      assert.equal(answer.status, 200);
      assert.deepEqual(data(JSON.parse(answer.body)), [word]);
      assert.equal(answer.headers['last-event-id'], id);
    }
    assert.equal(await opened(t, server), before + 1);
    cursor = id;
  }
});

test('behind Varnish, polls that are of somebody stay apart', varnish, async (t) => {
  const server = await serve(t, ['--cache-age', '5m']);
  const proxy = await startProxy(t, 'varnish', server);
  const first = await publish(t, server, 'a', 'x');
  await publish(t, server, 'a', 'y');
  const before = await opened(t, server);
  await crowd(t, proxy, `/events/a?last_event_id=${first}`, { authorization: 'Bearer mine' });
  assert.equal(await opened(t, server), before + 100);
  // And a cursor in a header is not mistaken for that of the URL.
  const path = `/events/a?last_event_id=${first}`;
  assert.deepEqual(data(JSON.parse((await get(t, proxy, path)).body)), ['y']);
  assert.deepEqual(data(JSON.parse((await get(t, proxy, path, { 'last-event-id': 'earliest' })).body)), ['x', 'y']);
  assert.deepEqual(data(JSON.parse((await get(t, proxy, path)).body)), ['y']);
});

test('behind Varnish, each of those who begin now is held by freshet', varnish, async (t) => {
  const server = await serve(t);
  const proxy = await startProxy(t, 'varnish', server);
  const all = crowd(t, proxy, '/events/a?wait=30');
  await untilSubscribers(t, server, 100);
  await publish(t, server, 'a', 'x');
  for (const answer of await all) {
    assert.deepEqual(data(JSON.parse(answer.body)), ['x']);
  }
});

test('behind Varnish, with --cache-age 0 each gets an answer of its own', varnish, async (t) => {
  const server = await serve(t, ['--cache-age', '0']);
  const proxy = await startProxy(t, 'varnish', server);
  const first = await publish(t, server, 'a', 'x');
  const before = await opened(t, server);
  const all = crowd(t, proxy, `/events/a?wait=30&last_event_id=${first}`);
  await untilSubscribers(t, server, 1);
  await publish(t, server, 'a', 'y');
  for (const answer of await all) {
    assert.deepEqual(data(JSON.parse(answer.body)), ['y']);
  }
  assert.equal(await opened(t, server), before + 100);
});
