// API keys: what a key lets its bearer do, each right with its refused twin; keys that are none; and what becomes of open
// streams when a key is taken back.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  assertProblem, bearer, connect, patience, post, publish, request, rights, run, secret, serve, slow, subscribe, test, token, until,
} from './harness/index.mjs';
import { openWebSocket, withoutWebSocket } from './harness/ws.mjs';

function keyFile(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'freshet-keys-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return path.join(dir, 'keys');
}

async function makeKey(t, file, ...args) {
  const made = await run(t, ['key', ...args, '--file', file]);
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /^fk_[A-Za-z0-9_-]{43}\n$/);
  return made.stdout.trim();
}

const hashOf = (key) => createHash('sha256').update(key).digest('hex');
const get = (t, server, target, headers = {}) =>
  request(t, server, { path: target, headers: { accept: 'application/json', ...headers } });
const serveKeys = (t, file, more = [], env = {}) => serve(t, ['--api-keys-file', file, ...more], { env });

// Sends the signal and waits until one more reload is told of than before.
async function reload(server, pattern = /API keys: \d+/g) {
  const told = () => [...server.stderr.matchAll(pattern)].length;
  const before = told();
  server.kill('SIGHUP');
  await until(() => told() > before, 'the reload is told of');
}

test('freshet key: a key that is shown once, and a line that holds only its hash', async (t) => {
  const file = keyFile(t);
  const key = await makeKey(t, file, 'shop', '--publish', 'a b/*', '--subscribe', '100%', '--admin', '--expires', '1h');
  const line = readFileSync(file, 'utf8');
  assert.match(line, new RegExp(`^shop sha256:${hashOf(key)} publish=a%20b/\\* subscribe=100%25 admin expires=20\\d\\d-[-0-9T:]+Z\n$`));
  assert.ok(!line.includes(key));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const both = await run(t, ['key', 'other']);
  const [shown, told] = both.stdout.split('\n');
  assert.equal(told, `other sha256:${hashOf(shown)}`);
  for (const args of [['shop', '--file', file], ['a b'], ['#a'], [], ['a', 'b'], ['a', '--publish', 'a/**/b'], ['n'.repeat(65)]]) {
    const refused = await run(t, ['key', ...args]);
    assert.notEqual(refused.status, 0, `key ${args.join(' ')}`);
    assert.equal(refused.stdout, '');
  }
  assert.equal(readFileSync(file, 'utf8'), line);
});

test('a key does what its line says, and nothing else', async (t) => {
  const file = keyFile(t);
  const shop = bearer(await makeKey(t, file, 'shop', '--publish', 'orders/*', '--subscribe', 'orders/**'));
  const boss = bearer(await makeKey(t, file, 'boss', '--admin'));
  const server = await serveKeys(t, file);
  const stream = await subscribe(t, server, '/events/orders/**', { headers: shop });
  const id = await publish(t, server, 'orders/1', 'x', { headers: shop });
  assert.deepEqual(await stream.next(), { event: 'message', id, data: 'x' });
  assert.equal((await get(t, server, '/api/topics', boss)).status, 200);
  assert.equal((await get(t, server, '/metrics', boss)).status, 200);
  assertProblem(await post(t, server, 'orders/1/2', 'x', { headers: shop }), 403);
  const refused = assertProblem(await get(t, server, '/events/news', shop), 403);
  assert.match(refused.detail, /the API key does not let you listen to `news`/);
  assert.match(assertProblem(await get(t, server, '/api/topics', shop), 403).detail, /whose line says admin/);
  assertProblem(await post(t, server, 'orders/1', 'x', { headers: boss }), 403);
  assertProblem(await get(t, server, '/events/orders/1', boss), 403);
  assertProblem(await get(t, server, '/events/orders/1'), 401);
  assertProblem(await post(t, server, 'orders/1', 'x'), 401);
  const item = await request(t, server, { method: 'POST', path: '/events', headers: { ...shop, 'content-type': 'application/json' },
    body: '[{"topic":"orders/1","data":"y"},{"topic":"news","data":"z"}]' });
  assert.deepEqual(item.json().map(({ status }) => status), [undefined, 403]);
});

test('a ticket for a key, and none without one', async (t) => {
  const file = keyFile(t);
  const key = bearer(await makeKey(t, file, 'page', '--subscribe', 'news'));
  const server = await serveKeys(t, file);
  const { ticket } = (await request(t, server, { method: 'POST', path: '/api/tickets', headers: key })).json();
  const stream = await subscribe(t, server, `/events/news?ticket=${ticket}`);
  assert.equal(stream.head.status, 200);
  assertProblem(await get(t, server, `/events/news?ticket=${ticket}`), 401);
  assertProblem(await request(t, server, { method: 'POST', path: '/api/tickets' }), 401);
  // One that waits is worth no more than its key.
  const waiting = (await request(t, server, { method: 'POST', path: '/api/tickets', headers: key })).json();
  writeFileSync(file, '');
  await reload(server);
  assertProblem(await get(t, server, `/events/news?ticket=${waiting.ticket}`), 401);
});

test('what is no key is refused, whatever it looks like', async (t) => {
  const file = keyFile(t);
  const key = await makeKey(t, file, 'shop', '--publish', '**', '--subscribe', '**');
  const late = await makeKey(t, file, 'late', '--subscribe', '**');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/(late .*)\n/, '$1 expires=2020-01-01T00:00:00Z\n'));
  const server = await serveKeys(t, file, ['--public-subscribe', 'open'], { FRESHET_JWT_SECRET: secret });
  const other = key.at(-2) === 'A' ? 'B' : 'A';
  const attacks = {
    'another key': `fk_${'A'.repeat(43)}`,
    'one letter changed': `${key.slice(0, -2)}${other}${key.at(-1)}`,
    'the prefix alone': 'fk_',
    'cut short': key.slice(0, -1),
    'one letter more': `${key}A`,
    'very long': `fk_${'A'.repeat(8000)}`,
    'in upper case': key.toUpperCase(),
    'without its prefix': key.slice(3),
    'with another prefix': `pk_${key.slice(3)}`,
    'its hash': hashOf(key),
    'its hash as a key': `fk_${hashOf(key).slice(0, 43)}`,
    'its name': 'shop',
    'two keys': `${key},${key}`,
    'letters that are none': `${key.slice(0, -1)}=`,
    'expired': late,
    'a line': `shop sha256:${hashOf(key)}`,
    'a token signed with the hash': token(rights(['**'], ['**']), { key: hashOf(key) }),
  };
  for (const [what, text] of Object.entries(attacks)) {
    for (const response of [await get(t, server, '/events/open', bearer(text)), await post(t, server, 'a', 'x', { headers: bearer(text) })]) {
      assert.equal(response.status, 401, what);
      assert.match(response.headers['www-authenticate'], /error="invalid_token"/, what);
      assert.ok(!response.body.includes(text), what);
    }
  }
  assertProblem(await get(t, server, '/events/a', { cookie: `freshet_token=${key}` }), 401); // only the header brings one
  assertProblem(await get(t, server, `/events/a?ticket=${key}`), 401);
  assert.equal((await get(t, server, '/events/a', bearer(key))).status, 200);
  assert.equal((await get(t, server, '/events/a', { authorization: `bEARER  ${key}` })).status, 200);
  for (const text of [key, late]) {
    assert.ok(!server.stderr.includes(text) && !server.stdout.includes(text));
  }
});

test('a file that is not understood is refused as a whole, with the line and without what stands there', async (t) => {
  const file = keyFile(t);
  const hash = (text) => `sha256:${hashOf(text)}`;
  const refused = {
    'a key where its hash belongs': [`a fk_${'A'.repeat(43)}`, /line 1: after the name/],
    'no hash': ['a', /line 1/],
    'a short hash': ['a sha256:12', /line 1/],
    'letters in a hash': [`a sha256:${'g'.repeat(64)}`, /line 1/],
    'a word that is not known': [`a ${hash('a')} publsh=x`, /line 1: after the hash/],
    'a bad pattern': [`# one\n\na ${hash('a')} publish=a/**/b`, /line 3/],
    'a bad escape': [`a ${hash('a')} publish=%zz`, /line 1: .*escape/],
    'a bad time': [`a ${hash('a')} expires=soon`, /line 1: `expires`/],
    'two times': [`a ${hash('a')} expires=2030-01-01T00:00:00Z expires=2031-01-01T00:00:00Z`, /line 1: .*twice/],
    'the same name': [`a ${hash('a')}\na ${hash('b')}`, /same name: a/],
    'the same key': [`a ${hash('a')}\nb ${hash('a')}`, /same hash/],
    'a bad name': [`a/b ${hash('a')}`, /line 1: a key's name/],
    'a line too long': [`a ${hash('a')} publish=${'x'.repeat(200)}${` publish=${'y'.repeat(200)}`.repeat(60)}`, /line 1: .*8192/],
    'too many keys': [Array.from({ length: 4097 }, (_, i) => `k${i} ${hash(`${i}`)}`).join('\n'), /line 4097: .*4096/],
    'too large': ['#'.repeat(1 << 20) + '\n', /larger than a megabyte/],
  };
  for (const [what, [text, sentence]] of Object.entries(refused)) {
    writeFileSync(file, text);
    const checked = await run(t, ['serve', '--check', '--api-keys-file', file]);
    assert.notEqual(checked.status, 0, what);
    assert.match(checked.stderr, sentence, what);
    assert.ok(!checked.stderr.includes('fk_A'), what);
  }
  assert.notEqual((await run(t, ['serve', '--check', '--api-keys-file', `${file}.none`])).status, 0);
  writeFileSync(file, `# nothing but keys\r\n\n\ta.b-c_1\t${hash('x').toUpperCase().replace('SHA', 'sha')}  subscribe=a publish=b admin\r\n`);
  const fine = await run(t, ['serve', '--check', '--api-keys-file', file]);
  assert.equal(fine.status, 0, fine.stderr);
});

test('a key that is taken back: its streams end, those of others go on', async (t) => {
  const file = keyFile(t);
  const gone = await makeKey(t, file, 'gone', '--subscribe', '**', '--publish', 'in');
  const stays = await makeKey(t, file, 'stays', '--subscribe', '**', '--publish', '**');
  const narrower = await makeKey(t, file, 'narrower', '--subscribe', 'a', '--subscribe', 'b');
  const server = await serveKeys(t, file, ['--public-subscribe', 'open'], { FRESHET_JWT_SECRET: secret });
  const open = (target, key) => subscribe(t, server, target, { headers: bearer(key) });
  const ended = [await open('/events/a', gone), await open('/events/open', gone), await open('/events?topic=a&topic=b', narrower)];
  const going = [await open('/events/a', stays), await open('/events/a', narrower), await open('/events/a', token(rights(['a'])))];
  const body = await connect(t, server);
  const piece = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
  body.send(`POST /events/in HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${gone}\r\nContent-Type: text/event-stream\r\n` +
    `Transfer-Encoding: chunked\r\n\r\n${piece('data: 1\n\n')}`);
  const poll = get(t, server, '/events/in?last_event_id=earliest&wait=60', bearer(stays));
  assert.equal((await poll).json()[0].data, '1');

  const text = readFileSync(file, 'utf8');
  writeFileSync(file, 'nonsense');
  await reload(server, /the keys stay as they were: .*line 1/g);
  await publish(t, server, 'a', 'still', { headers: bearer(stays) });
  for (const stream of [ended[0], ended[2], ...going]) {
    assert.equal((await stream.next()).data, 'still');
  }

  writeFileSync(file, text.replace(/^gone .*\n/m, '').replace(' subscribe=b', ''));
  await reload(server);
  for (const stream of ended) {
    await stream.finish();
  }
  assertProblem(await get(t, server, '/events/a', bearer(gone)), 401);
  body.send(piece('data: 2\n\n'));
  const answer = await body.readResponse();
  assert.equal(answer.status, 403);
  assert.match(answer.body, /1 events of the stream were published/);
  await publish(t, server, 'a', 'on', { headers: bearer(stays) });
  for (const stream of going) {
    assert.equal((await stream.next()).data, 'on');
  }
});

test('a reload that takes the whole file away ends the streams of all its keys', async (t) => {
  const file = keyFile(t);
  const key = await makeKey(t, file, 'gone', '--subscribe', 'a');
  const config = path.join(path.dirname(file), 'freshet.conf');
  writeFileSync(config, `api-keys-file = ${file}\n`);
  const server = await serve(t, ['--config', config], { env: { FRESHET_JWT_SECRET: secret } });
  const stream = await subscribe(t, server, '/events/a', { headers: bearer(key) });
  const other = await subscribe(t, server, '/events/a', { headers: bearer(token(rights(['a']))) });
  writeFileSync(config, '');
  await reload(server, /keys for tokens: \d+/g);
  await stream.finish();
  assertProblem(await get(t, server, '/events/a', bearer(key)), 401);
  await publish(t, server, 'a', 'on', { headers: bearer(token(rights([], ['a']))) });
  assert.equal((await other.next()).data, 'on');
});

test('a WebSocket ends with its key, and speaks by what the key says now', withoutWebSocket(), async (t) => {
  const file = keyFile(t);
  const gone = await makeKey(t, file, 'gone', '--subscribe', 'a', '--publish', 'a');
  const less = await makeKey(t, file, 'less', '--subscribe', 'a', '--publish', 'a', '--publish', 'b');
  const server = await serveKeys(t, file, ['--workers', '1']); // so that both are looked at in one go
  const [first, second] = [await openWebSocket(t, server, '/events/a', { headers: bearer(gone) }),
    await openWebSocket(t, server, '/events/a', { headers: bearer(less) })];
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^gone .*\n/m, '').replace(' publish=b', ''));
  await reload(server);
  assert.equal((await first.closed()).code, 1001);
  second.say({ publish: { topic: 'b', data: 'x' } });
  assert.equal((await second.answer()).error.status, 403);
  second.say({ publish: { topic: 'a', data: 'x' } });
  assert.ok((await second.answer()).published.id);
});

test('a stream ends when its key expires', async (t) => {
  const file = keyFile(t);
  const key = await makeKey(t, file, 'short', '--subscribe', 'a');
  const expires = new Date(Date.now() + 2000 * slow).toISOString();
  writeFileSync(file, readFileSync(file, 'utf8').replace('\n', ` expires=${expires}\n`));
  const server = await serveKeys(t, file);
  const stream = await subscribe(t, server, '/events/a', { headers: bearer(key) });
  await stream.finish(3 * patience);
  await until(async () => (await get(t, server, '/events/a', bearer(key))).status === 401, 'the key is refused');
});

test('limits count by the name of the key, which no token can take', async (t) => {
  const file = keyFile(t);
  const [a, b] = [await makeKey(t, file, 'ann', '--subscribe', '**'), await makeKey(t, file, 'bob', '--subscribe', '**')];
  const server = await serveKeys(t, file, ['--max-listeners-per-subject', '1'], { FRESHET_JWT_SECRET: secret });
  const turned = async (key) =>
    (await subscribe(t, server, '/events/a', { headers: bearer(key) })).head.headers['retry-after'] !== undefined;
  const ann = token(rights(['**'], [], { sub: 'ann' }));
  assert.deepEqual([await turned(a), await turned(a), await turned(b), await turned(ann), await turned(ann)],
    [false, true, false, false, true]);
});

test('an Idempotency-Key is the key\'s own', async (t) => {
  const file = keyFile(t);
  const ann = await makeKey(t, file, 'ann', '--publish', '**');
  appendFileSync(file, '\n# the end\n');
  const server = await serveKeys(t, file, [], { FRESHET_JWT_SECRET: secret });
  const send = async (text) => (await post(t, server, 'a', 'x', { headers: { ...bearer(text), 'idempotency-key': 'one' } })).json().id;
  const first = await send(ann);
  assert.equal(await send(ann), first);
  assert.notEqual(await send(token(rights([], ['**'], { sub: 'ann' }))), first);
});
