// What the console asks the server for: its figures every second, topics by a part of their names, closing a connection; and
// that only administrators get it.

import assert from 'node:assert/strict';
import {
  apiConnections, apiTopics, assertProblem, bearer, getJson, metrics, postJson, publish, request, rights, secret, serve,
  subscribe, test, token, until, untilSubscribers,
} from './harness/index.mjs';

const figures = ({ data }) => JSON.parse(data);
const remove = (t, server, id, headers = {}) => request(t, server, { method: 'DELETE', path: `/api/connections/${id}`, headers });

test('/api/live tells every second what /metrics has, and is heard by nobody else', async (t) => {
  const server = await serve(t);
  const other = await subscribe(t, server, '/events/**');
  const live = await subscribe(t, server, '/api/live');
  const first = await live.next();
  assert.equal(first.event, 'freshet.stats');
  assert.equal(first.id ?? '', '');
  assert.equal(figures(first).published, 0);
  await postJson(t, server, Array.from({ length: 20 }, () => ({ topic: 'a', data: 'x' })));
  const seen = await live.takeUntil((event) => figures(event).delivered === 20);
  const now = figures(seen.at(-1));
  const { samples, types } = await metrics(t, server);
  for (const [figure, name] of [['published', 'freshet_events_published_total'], ['published_bytes', 'freshet_published_bytes_total'],
    ['delivered', 'freshet_events_delivered_total'], ['listeners', 'freshet_subscribers'], ['history_events', 'freshet_history_events']]) {
    assert.equal(now[figure], samples.get(name), figure);
  }
  assert.ok(now.memory > 1_000_000 && now.workers >= 1 && now.at >= now.started);
  assert.deepEqual(now.limits, {});
  // All sends but the first may have been in a second before, so the shares are told in one of them.
  assert.ok(seen.map(figures).some(({ p50_us: p50, p99_us: p99 }) => p50 > 0 && p99 >= p50));
  assert.equal(types.get('freshet_delivery_seconds'), 'histogram');
  assert.ok(samples.get('freshet_delivery_seconds_count') >= 1);
  assert.equal(samples.get('freshet_delivery_seconds_bucket{le="+Inf"}'), samples.get('freshet_delivery_seconds_count'));
  assert.equal((await other.take(20)).length, 20);
  other.assertQuiet();
  assert.deepEqual((await apiConnections(t, server)).map(({ topics }) => topics), [['**'], []]);
  assert.deepEqual((await apiTopics(t, server)).map(({ topic }) => topic), ['**', 'a']);
});

test('/api/live names the limits that were hit, and who lags', async (t) => {
  const server = await serve(t, ['--max-topics', '1']);
  const live = await subscribe(t, server, '/api/live');
  assertProblem(await request(t, server, { path: '/events?topic=a&topic=b' }), 400);
  const [last] = (await live.takeUntil((event) => figures(event).limits['max-topics'])).slice(-1);
  assert.deepEqual(figures(last).limits, { 'max-topics': 1 });
  assert.equal(figures(last).lagging, 0);
  assert.equal(figures(last).refused, 1);
});

test('/api/topics finds any part of a name, and says how old the oldest event is', async (t) => {
  const server = await serve(t);
  const first = await publish(t, server, 'room/Alpha', '1');
  const last = await publish(t, server, 'room/Alpha', '2');
  await publish(t, server, 'room/beta', '1');
  await subscribe(t, server, '/events/ALPHAbet');
  const names = async (query) => (await getJson(t, server, `/api/topics?${query}`)).topics.map(({ topic }) => topic);
  assert.deepEqual(await names('search=alpha'), ['ALPHAbet', 'room/Alpha']);
  assert.deepEqual(await names('search=alpha&prefix=room/'), ['room/Alpha']);
  assert.deepEqual(await names('search=alpha&limit=1&after=ALPHAbet'), ['room/Alpha']);
  assert.deepEqual(await names('search=gamma'), []);
  const [heard, kept] = (await getJson(t, server, '/api/topics?search=alpha')).topics;
  assert.deepEqual([heard.oldest, heard.newest], [null, null]);
  assert.deepEqual([kept.oldest, kept.newest], [first, last]);
});

test('a connection is closed by its id, and its listener told when to come back', async (t) => {
  const server = await serve(t, ['--workers', '2', '--retry', '1s']);
  const [closed, other] = [await subscribe(t, server, '/events/a'), await subscribe(t, server, '/events/b')];
  await untilSubscribers(t, server, 2);
  const [{ id }] = (await apiConnections(t, server)).filter(({ topics }) => topics[0] === 'a');
  assert.equal((await remove(t, server, id)).status, 204);
  await closed.finish();
  assertProblem(await remove(t, server, id), 404);
  await untilSubscribers(t, server, 1);
  await publish(t, server, 'b', 'x');
  assert.equal((await other.next()).data, 'x');
  for (const name of ['0', 'x', '-1', '18446744073709551616', `${id}/x`]) {
    assertProblem(await remove(t, server, name), 404);
  }
});

test('only an administrator sees the figures and closes connections', async (t) => {
  const server = await serve(t, ['--jwt-secret', secret]);
  const listener = bearer(token(rights(['**'], ['**'])));
  const admin = bearer(token({ freshet: { admin: true } }));
  assertProblem(await request(t, server, { path: '/api/live' }), 401);
  assertProblem(await request(t, server, { path: '/api/live', headers: listener }), 403);
  assertProblem(await remove(t, server, '1', listener), 403);
  const live = await subscribe(t, server, '/api/live', { headers: admin });
  assert.equal((await live.next()).event, 'freshet.stats');
  assertProblem(await remove(t, server, '999', admin), 404);
  // A page of another origin may not, whatever it brings.
  assertProblem(await remove(t, server, '1', { ...admin, origin: 'https://elsewhere.example' }), 403);
});

test('figures do not keep a server from ending', async (t) => {
  const server = await serve(t);
  const live = await subscribe(t, server, '/api/live');
  await live.next();
  await server.stop();
  await live.finish();
});
