// A listener that does not read, and what --lag-action makes of it when it is further behind than it may be.

import assert from 'node:assert/strict';
import { apiConnections, assertRising, limitHits, metric, publish, serve, subscribe, test, until } from './harness/index.mjs';
import { beginH2, connectH2 } from './harness/h2.mjs';

// What the kernel's buffers hold is not in the server's hands: history has room for more than that.
const small = ['--workers', '1', '--socket-buffer', '4k', '--history-topic-bytes', '0'];
const padding = 'x'.repeat(50_000);
const keys = 5;

async function publishUntil(t, server, check, what) {
  const ids = [];
  await until(async () => {
    for (let i = 0; i < keys; i++) {
      ids.push(await publish(t, server, 'a', `${ids.length} ${padding}`, { key: `k${i}` }));
    }
    return check();
  }, what, 60_000);
  return ids;
}

const place = (event) => Number(event.data.split(' ')[0]);
const isGap = (event) => event.event === 'freshet.gap';
const isEnd = (event) => event.data === 'end';

// One that reads nothing until the limit is hit, and then everything up to the last event. One that keeps up is there too.
async function lag(t, args, { headers } = {}) {
  const server = await serve(t, [...small, '--max-lag', '20', ...args]);
  const slow = await subscribe(t, server, '/events/a', { headers });
  const quick = await subscribe(t, server, '/events/a');
  slow.socket.pause();
  const ids = await publishUntil(t, server, () => limitHits(t, server, 'max-lag'), 'it lags too far');
  ids.push(await publish(t, server, 'a', 'end', { key: 'end' }));
  const all = await quick.takeUntil(isEnd);
  assert.deepEqual(all.map((event) => event.id), ids);
  slow.socket.resume();
  return { server, slow, ids };
}

// What came before the gap is whole and in order; returns what came behind it.
function checkGap(got, ids, reason, before) {
  const at = got.findIndex(isGap);
  assert.deepEqual(got.slice(0, at).map((event) => event.id), ids.slice(0, at));
  const gap = JSON.parse(got[at].data);
  assert.deepEqual(gap, { after: gap.after, before, reason });
  assert.ok(at === 0 || gap.after === ids[at - 1]);
  return got.slice(at + 1);
}

test('gap: it is counted, once, and gets everything that history has', async (t) => {
  const { server, slow, ids } = await lag(t, []);
  const got = await slow.takeUntil(isEnd);
  assert.deepEqual(got.map((event) => event.id), ids);
  assert.equal(await limitHits(t, server, 'max-lag'), 1);
  assert.equal(await metric(t, server, 'freshet_gaps_total'), 0);
});

test('skip: it goes on with the newest event, and is told', async (t) => {
  const { server, slow, ids } = await lag(t, ['--lag-action', 'skip']);
  const rest = checkGap(await slow.takeUntil(isEnd), ids, 'skipped', ids.at(-1));
  assert.deepEqual(rest.map((event) => event.id), [ids.at(-1)]);
  assert.equal(await metric(t, server, 'freshet_gaps_total'), 1);
  await publish(t, server, 'a', 'more');
  assert.equal((await slow.next()).data, 'more');
  slow.assertQuiet();
});

test('latest: of what it missed it gets the newest of each key, and is told', async (t) => {
  const { slow, ids } = await lag(t, ['--lag-action', 'latest']);
  const rest = checkGap(await slow.takeUntil(isEnd), ids, 'latest', null);
  assert.deepEqual(rest.map((event) => event.id), ids.slice(-1 - keys));
});

test('close: it comes back by Last-Event-ID and has missed nothing', async (t) => {
  const { server, slow, ids } = await lag(t, ['--lag-action', 'close']);
  const got = await slow.finish();
  assert.ok(got.length < ids.length, 'it was cut off');
  assert.deepEqual(got.map((event) => event.id), ids.slice(0, got.length));
  const again = await subscribe(t, server, '/events/a', { headers: { 'last-event-id': got.at(-1)?.id ?? 'earliest' } });
  assert.deepEqual((await again.takeUntil(isEnd)).map((event) => event.id), ids.slice(got.length));
  assert.equal((await apiConnections(t, server)).length, 2, 'who keeps up stays');
});

test('a stream of HTTP/2 whose window is used up skips by itself', async (t) => {
  const server = await serve(t, [...small, '--max-lag', '20', '--lag-action', 'skip']);
  const session = await connectH2(t, server);
  const slow = await beginH2(session, { path: '/events/a' });
  await slow.answered;
  slow.pause();
  const ids = await publishUntil(t, server, () => limitHits(t, server, 'max-lag'), 'it lags too far');
  ids.push(await publish(t, server, 'a', 'end'));
  let text = '';
  slow.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
  slow.resume();
  await until(() => text.includes('data: end\n\n'), 'the last event');
  const got = [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
  assertRising(got);
  assert.deepEqual(got, [...ids.slice(0, got.length - 1), ids.at(-1)]);
  assert.match(text, /"reason":"skipped"/);
});

test('beyond --max-lag-soft only after --max-lag-time', async (t) => {
  const soft = ['--max-lag-soft', '10', '--lag-action', 'close'];
  const patient = await serve(t, [...small, ...soft, '--max-lag-time', '1d']);
  const strict = await serve(t, [...small, ...soft, '--max-lag-time', '1ms']);
  const slow = [];
  for (const server of [patient, strict]) {
    slow.push(await subscribe(t, server, '/events/a'));
    slow.at(-1).socket.pause();
  }
  await publishUntil(t, strict, () => limitHits(t, strict, 'max-lag'), 'it lags for too long');
  slow[1].socket.resume();
  await slow[1].finish();
  const behind = async () => (await apiConnections(t, patient))[0].behind > 20;
  const ids = await publishUntil(t, patient, behind, 'it is behind');
  assert.equal(await limitHits(t, patient, 'max-lag'), 0);
  slow[0].socket.resume();
  assert.deepEqual((await slow[0].take(ids.length)).map(place), ids.map((_, i) => i));
});
