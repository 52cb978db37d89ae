// Keys: what an event is a value of, brought by its publisher, shown in JSON and kept by history; the event stream's
// bytes stay those of the standard.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assertProblem, post, postJson, publish, request, run, serve, subscribe, test } from './harness/index.mjs';

const json = { accept: 'application/json' };
const keys = (events) => events.map(({ key, data }) => [key, data]);

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

test('every form of publishing takes a key, and JSON shows it', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  await publish(t, server, 'a', '1', { key: 'AAPL' });
  await postJson(t, server, { topic: 'a', data: '2', key: 'é"1' });
  await postJson(t, server, '{"topic":"a","data":"3","key":"x"}\n{"topic":"a","data":"4","key":null}\n', 'application/x-ndjson');
  await post(t, server, 'a', 'data: 5\n\ndata: 6\n\n', { key: 'all', headers: { 'content-type': 'text/event-stream' } });
  await publish(t, server, 'a', '7', { key: '' });
  assert.deepEqual(keys(await read(t, server, 'topic=a&last_event_id=earliest')),
    [['AAPL', '1'], ['é"1', '2'], ['x', '3'], [undefined, '4'], ['all', '5'], ['all', '6'], [undefined, '7']]);
  // The harness's decoder refuses any field that is not the standard's.
  assert.deepEqual((await stream.take(7)).map(({ data }) => data), ['1', '2', '3', '4', '5', '6', '7']);
});

test('a key that is none is refused', async (t) => {
  const server = await serve(t);
  for (const key of ['k'.repeat(256), 'a\nb', 'a\0b', 'a\rb']) {
    assertProblem(await post(t, server, 'a', 'x', { key }), 400);
    assertProblem(await postJson(t, server, { topic: 'a', data: 'x', key }), 400);
  }
  assertProblem(await postJson(t, server, { topic: 'a', data: 'x', key: 1 }), 400);
  assert.equal((await post(t, server, 'a', 'x', { key: 'k'.repeat(255) })).status, 200);
});

test('with another key it is another event to an Idempotency-Key', async (t) => {
  const server = await serve(t);
  const send = (key) => post(t, server, 'a', 'x', { key, headers: { 'idempotency-key': 'once' } });
  const first = await send('k');
  assert.equal(first.status, 200);
  assert.deepEqual((await send('k')).json(), first.json());
  assertProblem(await send('other'), 422);
});

test('keys outlive a restart, an export and an import', async (t) => {
  const folder = directory(t), other = path.join(directory(t), 'data'), file = path.join(folder, 'events.ndjson');
  const first = await serve(t, ['--data', folder]);
  await publish(t, first, 'a', '1', { key: 'AAPL', event: 'tick', id: 'mine' });
  await publish(t, first, 'a', '2');
  first.kill('SIGKILL');
  await first.ending();
  const second = await serve(t, ['--data', folder]);
  const before = await read(t, second, 'topic=a&last_event_id=earliest');
  assert.deepEqual(keys(before), [['AAPL', '1'], [undefined, '2']]);
  assert.equal((await run(t, ['history', 'export', '--data', folder, '-o', file])).status, 0);
  assert.match(readFileSync(file, 'utf8'), /"id":"mine","key":"AAPL","data":"1"/);
  assert.equal((await run(t, ['history', 'import', file, '--data', other])).status, 0);
  const third = await serve(t, ['--data', other]);
  assert.deepEqual(await read(t, third, 'topic=a&last_event_id=earliest'), before);
});

test('freshet pub --key', async (t) => {
  const server = await serve(t);
  assert.equal((await run(t, ['pub', 'a', '1', '--key', 'A&B', '--url', server.url])).status, 0);
  assert.equal((await run(t, ['pub', 'a', '--lines', '-k', 'L', '--url', server.url], { input: 'x\ny\n' })).status, 0);
  assert.equal((await run(t, ['pub', '--ndjson', '--key', 'L', '--url', server.url], { input: '' })).status, 2);
  assert.deepEqual(keys(await read(t, server, 'topic=a&last_event_id=earliest')), [['A&B', '1'], ['L', 'x'], ['L', 'y']]);
});
