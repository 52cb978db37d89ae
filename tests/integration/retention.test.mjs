// What history keeps: the sections of the config file, seen from outside.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { apiTopics, postJson, request, run, serve, test, until } from './harness/index.mjs';

function config(t, text) {
  const folder = mkdtempSync(path.join(tmpdir(), 'freshet-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const name = path.join(folder, 'freshet.conf');
  writeFileSync(name, text);
  return name;
}

async function publishMany(t, server, topic, count, size = 1) {
  const events = Array.from({ length: count }, (_, i) => ({ topic, data: String(i).padEnd(size, '.') }));
  const response = await postJson(t, server, events);
  assert.equal(response.status, 200, response.body);
}

async function kept(t, server, topic) {
  const path = `/events/${topic}?last_event_id=earliest&limit=100000`;
  const response = await request(t, server, { path, headers: { accept: 'application/json' } });
  assert.equal(response.status, 200, response.body);
  return response.json().filter((event) => event.id).map((event) => parseInt(event.data, 10));
}

const sections = `
history-count = 5
[topics "sensors/*/raw"]      # the first that matches counts
history-count = 2
[topics "sensors/**"]
history-count = 100
history-topic-bytes = 0
[topics 'nothing']
history-count = 0
[topics small]
history-topic-bytes = 1k
`;

test('a section has its own count and bytes, and the first that matches counts', async (t) => {
  const server = await serve(t, ['--config', config(t, sections)]);
  for (const topic of ['sensors/a/raw', 'sensors/a/b', 'sensors/x', 'nothing', 'else']) {
    await publishMany(t, server, topic, 20);
  }
  await publishMany(t, server, 'small', 4, 300);
  assert.deepEqual(await kept(t, server, 'sensors/a/raw'), [18, 19]);
  assert.equal((await kept(t, server, 'sensors/a/b')).length, 20);
  assert.equal((await kept(t, server, 'sensors/x')).length, 20);
  assert.deepEqual(await kept(t, server, 'nothing'), []);
  assert.deepEqual(await kept(t, server, 'else'), [15, 16, 17, 18, 19]);
  assert.deepEqual(await kept(t, server, 'small'), [2, 3]);
  const counts = Object.fromEntries((await apiTopics(t, server)).map(({ topic, events }) => [topic, events]));
  assert.deepEqual(counts, { else: 5, 'sensors/a/b': 20, 'sensors/a/raw': 2, 'sensors/x': 20, small: 2 });
});

test('an event of several topics is kept by each of them in its own way', async (t) => {
  const server = await serve(t, ['--config', config(t, sections)]);
  for (let i = 0; i < 6; i++) {
    assert.equal((await postJson(t, server, { topics: ['nothing', 'sensors/a/raw', 'else'], data: String(i) })).status, 200);
  }
  assert.deepEqual(await kept(t, server, 'nothing'), []);
  assert.deepEqual(await kept(t, server, 'sensors/a/raw'), [4, 5]);
  assert.deepEqual(await kept(t, server, 'else'), [1, 2, 3, 4, 5]);
});

test('a section has its own age', async (t) => {
  const text = 'history-age = 1h\n[topics "brief/*"]\nhistory-age = 100ms\n';
  const server = await serve(t, ['--config', config(t, text)]);
  await publishMany(t, server, 'brief/a', 3);
  await publishMany(t, server, 'else', 3);
  await until(async () => (await kept(t, server, 'brief/a')).length === 0, 'what is too old is gone');
  assert.equal((await kept(t, server, 'else')).length, 3);
});

test('a flag beats the file for everything but the sections', async (t) => {
  const server = await serve(t, ['--config', config(t, sections), '--history-count', '7']);
  await publishMany(t, server, 'else', 20);
  await publishMany(t, server, 'sensors/x', 20);
  assert.equal((await kept(t, server, 'else')).length, 7);
  assert.equal((await kept(t, server, 'sensors/x')).length, 20);
});

test('what is wrong with a section is told with its place, also by --check', async (t) => {
  for (const [text, sentence] of [
    ['[topics "a/**/b"]\n', /freshet\.conf:1: \[topics "a\/\*\*\/b"\]: .*\*\*/],
    ['\n[topics "a"]\nhistory-bytes = 1m\n', /freshet\.conf:3: "history-bytes" cannot be set in a section \[topics\]; history-count, /],
    ['[topics "a"]\nhistory-counts = 1\n', /freshet\.conf:2: "history-counts" cannot be set/],
    ['[topics "a"]\nhistory-count = lots\n', /freshet\.conf:2: history-count must be a whole number, not "lots"/],
    ['[topics "a"]\n[topics "b"]\n[topics "a"]\n', /freshet\.conf:3: \[topics "a"\]: there is this section already/],
    ['[topics "a"\n', /freshet\.conf:1: a section is written \[topics "PATTERN"\]/],
    ['[tokens "a"]\n', /freshet\.conf:1: there is no section "tokens"; there is \[topics "PATTERN"\]/],
    [`[topics "${'x'.repeat(257)}"]\n`, /freshet\.conf:1: \[topics "x+…?"?…?\]: /],
  ]) {
    const { status, stderr } = await run(t, ['serve', '--check', '--config', config(t, text)]);
    assert.equal(status, 2, text);
    assert.match(stderr, sentence);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
  const { status, stdout } = await run(t, ['serve', '--check', '--config', config(t, sections)]);
  assert.equal(status, 0);
  assert.match(stdout, /fine/);
});

test('there may be so many sections and no more', async (t) => {
  const many = (count) => Array.from({ length: count }, (_, i) => `[topics "t/${i}/*"]\nhistory-count = 3\n`).join('');
  const { status, stderr } = await run(t, ['serve', '--check', '--config', config(t, many(10_000))]);
  assert.equal(status, 2);
  assert.match(stderr, /freshet\.conf:513: there are more than 256 sections \[topics "PATTERN"\]/);
  const server = await serve(t, ['--config', config(t, many(256))]);
  await publishMany(t, server, 't/255/x', 10);
  await publishMany(t, server, 't/256/x', 10);
  assert.deepEqual(await kept(t, server, 't/255/x'), [7, 8, 9]);
  assert.equal((await kept(t, server, 't/256/x')).length, 10);
});
