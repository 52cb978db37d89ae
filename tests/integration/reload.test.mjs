// Settings that change while the server runs: by SIGHUP and by POST /api/reload, all or nothing, with no stream lost.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  apiTopics, assertProblem, bearer, post, publish, request, rights, secret, serve, subscribe, test, token, until,
} from './harness/index.mjs';

function folder(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'freshet-reload-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// A server with a config file of these lines, and how to give it others.
async function configured(t, lines, args = [], options = {}) {
  const file = path.join(folder(t), 'freshet.conf');
  const write = (text) => writeFileSync(file, text.join('\n') + '\n');
  write(lines);
  const server = await serve(t, ['--config', file, ...args], options);
  return { server, file, write };
}

const reload = (t, server, headers = {}) => request(t, server, { method: 'POST', path: '/api/reload', headers });

async function reloaded(t, server, headers) {
  const response = await reload(t, server, headers);
  assert.equal(response.status, 200, response.body);
  return response.json();
}

const cors = async (t, server, origin) =>
  (await request(t, server, { path: '/healthz', headers: { origin } })).headers['access-control-allow-origin'];

test('what has changed is told, and holds, and no stream is lost', async (t) => {
  const { server, write } = await configured(t, ['max-topics = 3', 'cors-origin = https://one.example']);
  const stream = await subscribe(t, server, '/events/a');
  assert.deepEqual(await reloaded(t, server), { changed: [], restart: [] });
  assert.equal(await cors(t, server, 'https://one.example'), 'https://one.example');
  assert.equal((await request(t, server, { path: '/events?topic=a&topic=b', headers: { accept: 'application/json' } })).status, 200);
  write(['max-topics = 1', 'cors-origin = https://two.example, https://three.example', 'max-body = 10',
    'max-listeners-per-topic = 1', 'rate-topic-events = 1', 'rate-burst = 2', 'greeting = hello']);
  assert.deepEqual((await reloaded(t, server)).changed, [
    { setting: 'cors-origin', from: 'https://one.example', to: 'https://two.example, https://three.example' },
    { setting: 'greeting', from: '', to: 'hello' },
    { setting: 'max-topics', from: '3', to: '1' },
    { setting: 'max-listeners-per-topic', from: '0', to: '1' },
    { setting: 'rate-topic-events', from: '0', to: '1' },
    { setting: 'rate-burst', from: '5', to: '2' },
    { setting: 'max-body', from: '1m', to: '10' },
  ]);
  assert.equal(await cors(t, server, 'https://one.example'), undefined);
  assert.equal(await cors(t, server, 'https://three.example'), 'https://three.example');
  assertProblem(await request(t, server, { path: '/events?topic=a&topic=b', headers: { accept: 'application/json' } }), 400);
  assertProblem(await post(t, server, 'a', 'eleven bytes'), 413);
  await subscribe(t, server, '/events/b');
  assertProblem(await request(t, server, { path: '/events/b', headers: { accept: 'application/x-ndjson' } }), 503);
  const ids = [await publish(t, server, 'a', '1'), await publish(t, server, 'a', '2')];
  assertProblem(await post(t, server, 'a', '3'), 429);
  assert.deepEqual((await stream.take(2)).map((event) => event.id), ids);
  write([]);
  await reloaded(t, server);
  await publish(t, server, 'a', 'as it was at first');
  assert.equal((await stream.next()).data, 'as it was at first');
});

test('of a mistake anywhere nothing is taken, and it is told with its place', async (t) => {
  const { server, file, write } = await configured(t, ['max-topics = 3', 'jwt-leeway = 1s']);
  const name = path.basename(file);
  const mistakes = [
    ['max-topicz = 1', new RegExp(`${name}:2: there is no setting max-topicz; did you mean max-topics`)],
    ['retry = soon', new RegExp(`${name}:2: retry must be a duration`)],
    ['max-topics = 0', new RegExp(`${name}:2: max-topics must be`)],
    ['[topics "a/**/b"]', new RegExp(`${name}:2: `)],
    ['check = yes', new RegExp(`${name}:2: check cannot be set`)],
    ['cors-origin = example.com', /"example\.com" is no origin/],
    ['trusted-proxies = 10.0.0.0/99', /--trusted-proxies "10\.0\.0\.0\/99"/],
    ['admin-token-file = /nonexistent', /--admin-token-file "\/nonexistent": No such file/],
    ['audit-log = /nonexistent/log', /--audit-log \/nonexistent\/log/],
    ['jwt-secret = a secret that is as long as it has to be', /the first key.* takes a restart/],
    ['public-subscribe = **', /takes a restart/],
    ['jwt-key = credential:key', /CREDENTIALS_DIRECTORY/],
  ];
  for (const [line, sentence] of mistakes) {
    write(['max-topics = 1', line]);
    const problem = assertProblem(await reload(t, server), 422);
    assert.match(problem.detail, sentence);
    assert.match(problem.detail, /^nothing was changed: /);
    const two = { path: '/events?topic=a&topic=b', headers: { accept: 'application/json' } };
    assert.equal((await request(t, server, two)).status, 200, `${line} changed something`);
  }
  rmSync(file);
  assert.match(assertProblem(await reload(t, server), 422).detail, /cannot read the config file/);
  await until(() => server.stderr.match(/reload: nothing was changed: /g)?.length === mistakes.length + 1, 'all are in the log');
});

test('what takes a restart is named each time, and stays', async (t) => {
  const { server, write } = await configured(t, ['workers = 1']);
  const wanted = ['listen', 'http2', 'workers', 'data', '[listen]'];
  write(['workers = 2', 'listen = 127.0.0.1:1', 'http2 = no', 'data = /nonexistent/dir', 'max-wait = 1m', 'log-level = warn',
    '[listen "127.0.0.1:1"]', 'http2 = no']);
  for (let i = 0; i < 2; i++) {
    const { changed, restart } = await reloaded(t, server);
    // The flag of the command line wins over the file, so nothing waits for `listen`.
    assert.deepEqual(restart.sort(), wanted.filter((name) => name !== 'listen').sort());
    assert.deepEqual(changed, i ? [] : [{ setting: 'log-level', from: 'info', to: 'warn' }]);
  }
  await server.says(/reload: workers stays as it was; a restart changes it/);
  await publish(t, server, 'a', 'x');
});

test('SIGHUP does the same, and says so in the log', async (t) => {
  const { server, write } = await configured(t, ['max-topics = 3']);
  const stream = await subscribe(t, server, '/events/a');
  const status = async () => (await request(t, server, { path: '/events?topic=a&topic=b', headers: { accept: 'application/json' } })).status;
  write(['max-topics = none']);
  server.kill('SIGHUP');
  await server.says(/error reload: nothing was changed: .*freshet\.conf:1: max-topics must be/);
  assert.equal(await status(), 200);
  write(['max-topics = 1']);
  server.kill('SIGHUP');
  await until(async () => (await status()) === 400, 'the limit holds');
  await server.says(/reload: max-topics is "1", was "3"/);
  await publish(t, server, 'a', 'x');
  assert.equal((await stream.next()).data, 'x');
});

test('what history keeps', async (t) => {
  for (const data of [[], ['--data', path.join(folder(t), 'data')]]) {
    const { server, write } = await configured(t, ['history-count = 100'], data);
    for (let i = 0; i < 5; i++) {
      await publish(t, server, 'few/a', `${i}`);
      await publish(t, server, 'b', `${i}`);
    }
    const counts = async () => Object.fromEntries((await apiTopics(t, server)).map((topic) => [topic.topic, topic.events]));
    assert.deepEqual(await counts(), { 'few/a': 5, b: 5 });
    write(['history-count = 4', '[topics "few/*"]', 'history-count = 2']);
    const { changed } = await reloaded(t, server);
    assert.deepEqual(changed.map((each) => each.setting), ['history-count', '[topics "few/*"]']);
    await until(async () => {
      const now = await counts();
      return now.b === 4 && now['few/a'] === 2;
    }, 'both have dropped what is too much');
    await publish(t, server, 'few/a', 'x');
    await until(async () => (await counts())['few/a'] === 2, 'and keep to it');
    await server.stop();
  }
});

test('keys and rights, and no word of a secret', async (t) => {
  const other = 'another secret that is long enough to be a good one';
  const admin = bearer(token({ freshet: { admin: true } }));
  const { server, write } = await configured(t, [`jwt-secret = ${secret}`, 'jwt-issuer = one']);
  const as = (iss, key = secret) => bearer(token(rights(['a'], ['a'], { iss }), { key }));
  const admins = (iss, key = secret) => bearer(token({ iss, freshet: { admin: true } }, { key }));
  assertProblem(await reload(t, server), 401);
  assertProblem(await reload(t, server, admin), 401);
  assertProblem(await reload(t, server, as('one')), 403);
  const stream = await subscribe(t, server, '/events/a', { headers: as('one') });
  write([`jwt-secret = ${other}`, 'jwt-issuer = two', 'public-subscribe = open']);
  const { changed } = await reloaded(t, server, admins('one'));
  assert.deepEqual(changed, [{ setting: 'jwt-secret' }, { setting: 'jwt-issuer', from: 'one', to: 'two' },
    { setting: 'public-subscribe', from: '', to: 'open' }]);
  assertProblem(await post(t, server, 'a', 'x', { headers: as('two') }), 401);
  assertProblem(await post(t, server, 'a', 'x', { headers: as('one', other) }), 401);
  await publish(t, server, 'a', 'x', { headers: as('two', other) });
  assert.equal((await stream.next()).data, 'x');
  await subscribe(t, server, '/events/open');
  write([]);
  const problem = assertProblem(await reload(t, server, admins('two', other)), 422);
  assert.match(problem.detail, /the last key/);
  await publish(t, server, 'a', 'y', { headers: as('two', other) });
  for (const text of [secret, other]) {
    assert.ok(!server.stderr.includes(text));
  }
});

test('reloads in a row, while events go through every worker', async (t) => {
  const { server, write } = await configured(t, [], ['--workers', '2', '--max-listeners-per-address', '50']);
  const streams = await Promise.all([1, 2, 3, 4].map(() => subscribe(t, server, '/events/a')));
  const ids = [];
  const publishing = (async () => {
    for (let i = 0; i < 40; i++) {
      ids.push(await publish(t, server, 'a', `${i}`));
    }
  })();
  for (let i = 0; i < 20; i++) {
    write([`max-topics = ${i + 1}`, `cors-origin = https://${i}.example`, `window-bytes = ${1 + i}m`, `rate-topic-events = ${i % 2 ? 100000 : 0}`]);
    const [one] = await Promise.all([reload(t, server), i % 5 ? undefined : server.kill('SIGHUP')]);
    assert.equal(one.status, 200, one.body);
  }
  await publishing;
  for (const stream of streams) {
    assert.deepEqual((await stream.take(ids.length)).map((event) => event.id), ids);
  }
});

test('what an address or the administrators need cannot be taken away', async (t) => {
  const file = path.join(folder(t), 'admin');
  writeFileSync(file, 'x'.repeat(32));
  const lines = ['trusted-proxies = 127.0.0.1', `admin-token-file = ${file}`];
  const { server, write } = await configured(t, lines, ['--listen', '127.0.0.1:0;proxy', '--admin-listen', '0.0.0.0:0']);
  const [, port] = await server.output(/^administrators on \S+:(\d+)$/m);
  const admins = { port: Number(port) };
  for (const [left, sentence] of [[lines.slice(1), /;proxy needs --trusted-proxies/], [lines.slice(0, 1), /--admin-token-file cannot be taken away/]]) {
    write(left);
    assert.match(assertProblem(await reload(t, admins, bearer('x'.repeat(32))), 422).detail, sentence);
  }
  write(lines);
  await reloaded(t, admins, bearer('x'.repeat(32)));
});
