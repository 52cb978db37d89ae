// Who may listen and publish: tokens, cookies and what needs neither. Each rule with its refused twin.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as jose from 'jose';
import {
  assertProblem, bearer, connect, keyPair, post, publish, request, rights, run, secret, serve, subscribe, test, token, until,
} from './harness/index.mjs';
import { handshake, openWebSocket, withoutWebSocket } from './harness/ws.mjs';

function folder(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'freshet-access-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const guarded = (t, more = [], options = {}) => serve(t, more, { env: { FRESHET_JWT_SECRET: secret }, ...options });
const now = () => Math.floor(Date.now() / 1000);
const get = (t, server, target, headers = {}) =>
  request(t, server, { path: target, headers: { accept: 'application/json', ...headers } });

function assertChallenge(response, error) {
  assertProblem(response, 401);
  assert.match(response.headers['www-authenticate'], /^Bearer realm="freshet"/);
  assert.equal(response.headers['www-authenticate'].includes('error='), Boolean(error));
}

test('with a key, nobody listens or publishes without a token', async (t) => {
  const server = await guarded(t);
  assertChallenge(await get(t, server, '/events/a'));
  assertChallenge(await request(t, server, { path: '/events?topic=a' }));
  assertChallenge(await post(t, server, 'a', 'x'));
  assertChallenge(await request(t, server, { method: 'POST', path: '/events', body: '{"topic":"a","data":"x"}' }));
  assertChallenge(await post(t, server, 'a', 'data: x\n\n', { headers: { 'content-type': 'text/event-stream' } }));
  for (const target of ['/api/topics', '/api/connections', '/metrics']) {
    assertChallenge(await get(t, server, target));
  }
  for (const target of ['/healthz', '/readyz', '/']) {
    assert.equal((await request(t, server, { path: target })).status, 200, target);
  }
});

test('a token says what its bearer may', async (t) => {
  const server = await guarded(t);
  const ann = bearer(token(rights(['news', 'rooms/*'], ['rooms/1'])));
  const stream = await subscribe(t, server, '/events?topic=news&topic=rooms/*', { headers: ann });
  const id = await publish(t, server, 'rooms/1', 'hello', { headers: ann });
  assert.deepEqual(await stream.next(), { event: 'message', id, data: 'hello' });
  for (const [target, name] of [['/events/secret', 'secret'], ['/events?topic=news&topic=secret', 'secret'],
    ['/events/rooms/**', 'rooms/**'], ['/events/**', '**'], ['/events/rooms/1/2', 'rooms/1/2']]) {
    const problem = assertProblem(await get(t, server, target, ann), 403);
    assert.ok(problem.detail.includes(`\`${name}\``), problem.detail);
  }
  assertProblem(await post(t, server, 'rooms/2', 'x', { headers: ann }), 403);
  assertProblem(await post(t, server, 'news', 'x', { headers: ann }), 403);
});

test('of a list of events, each is looked at by itself', async (t) => {
  const server = await guarded(t);
  const headers = { ...bearer(token(rights(['**'], ['a', 'b']))), 'content-type': 'application/json' };
  const events = [{ topic: 'a', data: '1' }, { topic: 'c', data: '2' }, { topics: ['a', 'c'], data: '3' }, { topics: ['a', 'b'], data: '4' }];
  for (const body of [JSON.stringify(events), events.map((event) => JSON.stringify(event)).join('\n')]) {
    const response = await request(t, server, { method: 'POST', path: '/events', headers, body });
    assert.equal(response.status, 200, response.body);
    assert.deepEqual(response.json().map((item) => item.status), [undefined, 403, 403, undefined]);
  }
  const stored = await getAll(t, server, headers);
  assert.deepEqual(stored, ['1', '4', '1', '4']);
  const single = await request(t, server, { method: 'POST', path: '/events', headers, body: JSON.stringify(events[1]) });
  assertProblem(single, 403);
});

async function getAll(t, server, headers) {
  const response = await get(t, server, '/events/**?last_event_id=earliest', { authorization: headers.authorization });
  assert.equal(response.status, 200, response.body);
  return response.json().map((event) => event.data);
}

test('the claims of the subject fill templates, and reach no further', async (t) => {
  const server = await guarded(t, ['--jwt-subscribe', 'users/{sub}/*']);
  const as = (sub) => bearer(token({ sub }));
  assert.equal((await get(t, server, '/events/users/ann/inbox', as('ann'))).status, 200);
  assertProblem(await get(t, server, '/events/users/ben/inbox', as('ann')), 403);
  for (const sub of ['*', '**', 'ben/x', '', '../ben']) {
    assertProblem(await get(t, server, '/events/users/ben/inbox', as(sub)), 403);
    assertProblem(await get(t, server, '/events/users/*/inbox', as(sub)), 403);
  }
  assertProblem(await get(t, server, '/events/users/ben/inbox', bearer(token({}))), 403);
});

test('forged, broken and expired tokens', async (t) => {
  const server = await guarded(t);
  const fine = rights(['a']);
  const { privateKey } = keyPair('ec', { namedCurve: 'P-256' });
  const good = token(fine);
  const [head, body, signature] = good.split('.');
  const bad = {
    'another secret': token(fine, { key: 'some other secret of more than thirty-two bytes' }),
    'alg none': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`,
    'alg none with a signature': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.${signature}`,
    'a key of its own': token(fine, { alg: 'ES256', key: privateKey }),
    'a header that brings a key': token(fine, { key: 'x'.repeat(40), header: { jwk: { kty: 'oct', k: 'eHh4' } } }),
    'crit': token(fine, { header: { crit: ['exp'] } }),
    'a token inside': token(fine, { header: { cty: 'JWT' } }),
    'no signature': `${head}.${body}.`,
    'two parts': `${head}.${body}`,
    'four parts': `${good}.x`,
    'other claims': `${head}.${Buffer.from(JSON.stringify(rights(['**']))).toString('base64url')}.${signature}`,
    'padding': `${good}=`,
    'nonsense': 'nonsense',
    'expired by a second': token({ ...fine, exp: now() - 11 }),
    'not valid yet': token({ ...fine, nbf: now() + 30 }),
    'times as text': token({ ...fine, exp: String(now() + 60) }),
    'claims that are no object': token('["a"]'),
    'claims twice': token(`{"exp":1,"exp":${now() + 60},"freshet":{"subscribe":["a"]}}`),
    'rights of another kind': token({ freshet: { subscribe: 'a' } }),
    'huge': token({ ...fine, more: 'x'.repeat(8192) }),
  };
  assert.equal((await get(t, server, '/events/a', bearer(good))).status, 200);
  assert.equal((await get(t, server, '/events/a', bearer(token({ ...fine, exp: now() - 5 })))).status, 200);
  for (const [name, text] of Object.entries(bad)) {
    const response = await get(t, server, '/events/a', bearer(text));
    assert.equal(response.status, 401, `${name}: ${response.body}`);
    assertChallenge(response, true);
    assert.ok(!response.body.includes(text), name);
  }
});

test('the issuer and the audience have to be the right ones', async (t) => {
  const server = await guarded(t, ['--jwt-issuer', 'https://login.example', '--jwt-audience', 'events']);
  const look = async (more) => (await get(t, server, '/events/a', bearer(token(rights(['a'], [], more))))).status;
  const iss = 'https://login.example';
  assert.equal(await look({ iss, aud: 'events' }), 200);
  assert.equal(await look({ iss, aud: ['other', 'events'] }), 200);
  assert.equal(await look({ iss, aud: 'other' }), 401);
  assert.equal(await look({ iss }), 401);
  assert.equal(await look({ iss: 'https://login.example.evil', aud: 'events' }), 401);
  assert.equal(await look({ aud: 'events' }), 401);
});

test('keys from files: PEM, a JSON Web Key, a set of them; tokens that another library signs', async (t) => {
  const dir = folder(t);
  const pairs = {
    RS256: keyPair('rsa', { modulusLength: 2048 }),
    ES256: keyPair('ec', { namedCurve: 'P-256' }),
    ES384: keyPair('ec', { namedCurve: 'P-384' }),
    EdDSA: keyPair('ed25519'),
  };
  const files = ['rsa.pem', 'ec.jwk', 'set.json'].map((name) => path.join(dir, name));
  writeFileSync(files[0], pairs.RS256.pem);
  writeFileSync(files[1], JSON.stringify(pairs.ES256.jwk));
  const other = keyPair('rsa', { modulusLength: 2048 });
  writeFileSync(files[2], JSON.stringify({ keys: [
    { ...other.jwk, kid: 'encryption', use: 'enc' },
    { ...pairs.ES384.jwk, kid: 'first', use: 'sig' },
    { ...pairs.EdDSA.jwk, kid: 'second', alg: 'EdDSA' },
  ] }));
  const server = await serve(t, files.flatMap((file) => ['--jwt-key', file]));
  const look = async (alg, kid, key = pairs[alg].privateKey) => {
    const text = await new jose.SignJWT(rights(['a'])).setProtectedHeader({ alg, ...(kid && { kid }) })
      .setExpirationTime('1m').sign(key);
    return (await get(t, server, '/events/a', bearer(text))).status;
  };
  assert.equal(await look('RS256'), 200);
  assert.equal(await look('PS256', undefined, pairs.RS256.privateKey), 200);
  assert.equal(await look('ES256', 'any name, because the key has none'), 200);
  assert.equal(await look('ES384', 'first'), 200);
  assert.equal(await look('EdDSA', 'second'), 200);
  assert.equal(await look('ES384', 'second'), 401);
  assert.equal(await look('RS256', undefined, other.privateKey), 401);
  // The public key, which everyone has, as if it were a secret.
  const confused = token(rights(['a']), { alg: 'HS256', key: pairs.RS256.pem });
  assert.equal((await get(t, server, '/events/a', bearer(confused))).status, 401);
});

test('SIGHUP reads the keys again, all or nothing, and streams go on', async (t) => {
  const file = path.join(folder(t), 'secret');
  writeFileSync(file, `${secret}\n`);
  const server = await serve(t, ['--jwt-secret-file', file]);
  const before = bearer(token(rights(['a'], ['a'])));
  const fresh = 'the secret that comes after the first one, and is long enough';
  const after = bearer(token(rights(['a'], ['a']), { key: fresh }));
  const stream = await subscribe(t, server, '/events/a', { headers: before });
  writeFileSync(file, 'short');
  server.kill('SIGHUP');
  await server.says(/the keys stay as they were: .*32 bytes/);
  await publish(t, server, 'a', '1', { headers: before });
  writeFileSync(file, fresh);
  server.kill('SIGHUP');
  await server.says(/keys for tokens: 1/);
  assertChallenge(await post(t, server, 'a', 'x', { headers: before }), true);
  await publish(t, server, 'a', '2', { headers: after });
  assert.deepEqual((await stream.take(2)).map((event) => event.data), ['1', '2']);
});

test('what is public needs no token', async (t) => {
  const server = await guarded(t, ['--public-subscribe', 'prices/*', '--public-publish', 'votes']);
  const stream = await subscribe(t, server, '/events/prices/*');
  await publish(t, server, 'prices/a', '1', { headers: bearer(token(rights([], ['**']))) });
  assert.equal((await stream.next()).data, '1');
  await publish(t, server, 'votes', 'yes');
  assertChallenge(await get(t, server, '/events/votes'));
  assertChallenge(await post(t, server, 'prices/a', 'x'));
  assertChallenge(await get(t, server, '/events/prices/**'));
  // A token that is no good is not the same as none.
  assertChallenge(await get(t, server, '/events/prices/a', bearer('nonsense')), true);
});

test('a cookie brings the token where no header can', async (t) => {
  const server = await guarded(t, ['--cors-origin', 'https://app.example']);
  const good = token(rights(['a'], ['a']));
  const cookie = `theme=dark; freshet_token=${good}; x=y`;
  const look = (headers) => get(t, server, '/events/a', { cookie, ...headers });
  assert.equal((await look({})).status, 200);
  assert.equal((await look({ 'sec-fetch-site': 'same-origin' })).status, 200);
  assert.equal((await look({ origin: server.url })).status, 200);
  const allowed = await look({ origin: 'https://app.example', 'sec-fetch-site': 'cross-site' });
  assert.equal(allowed.status, 200);
  assert.equal(allowed.headers['access-control-allow-credentials'], 'true');
  assert.equal(allowed.headers['access-control-allow-origin'], 'https://app.example');
  for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'https://app.example.evil.example' }]) {
    const response = await look(headers);
    assertProblem(response, 403);
    assert.equal(response.headers['access-control-allow-credentials'], undefined);
  }
  // What a page of another origin may not read with the cookie, it may not write with it.
  assertProblem(await post(t, server, 'a', 'x', { headers: { cookie, origin: 'https://evil.example' } }), 403);
  await publish(t, server, 'a', 'x', { headers: { cookie, origin: 'https://app.example' } });
  assertChallenge(await get(t, server, '/events/a', { cookie: 'other=1' }));
  assertChallenge(await get(t, server, '/events/a', { cookie: 'freshet_token=nonsense' }), true);
});

test('an origin of * lets nobody use a cookie', async (t) => {
  const server = await guarded(t, ['--cors-origin', '*', '--public-subscribe', 'public']);
  const cookie = `freshet_token=${token(rights(['a']))}`;
  assertProblem(await get(t, server, '/events/a', { cookie, origin: 'https://any.example' }), 403);
  const open = await get(t, server, '/events/public', { origin: 'https://any.example' });
  assert.equal(open.status, 200);
  assert.equal(open.headers['access-control-allow-origin'], '*');
  assert.equal(open.headers['access-control-allow-credentials'], undefined);
});

test('a stream ends when its token does', async (t) => {
  const server = await guarded(t, ['--jwt-leeway', '0']);
  const headers = bearer(token({ ...rights(['a'], ['a']), exp: now() + 2 }));
  const stream = await subscribe(t, server, '/events/a', { headers });
  await publish(t, server, 'a', '1', { headers });
  assert.equal((await stream.next()).data, '1');
  await stream.finish(); // the clock is the thing here: a token can only expire by it
  assertChallenge(await get(t, server, '/events/a', headers), true);
});

test('/api and /metrics are for administrators', async (t) => {
  const server = await guarded(t);
  const admin = bearer(token({ freshet: { admin: true, publish: ['a'] } }));
  const other = bearer(token(rights(['**'], ['**'])));
  await publish(t, server, 'a', 'x', { headers: admin });
  for (const target of ['/api/topics', '/api/connections', '/metrics']) {
    assert.equal((await get(t, server, target, admin)).status, 200, target);
    assertProblem(await get(t, server, target, other), 403);
  }
  assertProblem(await request(t, server, { method: 'DELETE', path: '/api/topics/a', headers: other }), 403);
  assert.equal((await request(t, server, { method: 'DELETE', path: '/api/topics/a', headers: admin })).status, 204);
});

test('two publishers may choose the same Idempotency-Key', async (t) => {
  const server = await guarded(t);
  const as = (sub) => ({ headers: { ...bearer(token(rights(['a'], ['a'], { sub }))), 'idempotency-key': 'k' } });
  const first = await publish(t, server, 'a', 'x', as('ann'));
  assert.equal(await publish(t, server, 'a', 'x', as('ann')), first);
  assert.notEqual(await publish(t, server, 'a', 'x', as('ben')), first);
});

test('with a key, an address that others can reach needs no --insecure', async (t) => {
  const server = await guarded(t, [], { listen: '0.0.0.0:0' });
  assert.doesNotMatch(server.stderr, /insecure/);
  const refused = await run(t, ['serve', '--listen', '0.0.0.0:0']);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /--jwt-secret-file/);
});

test('what is wrong with the keys is said before anything is opened', async (t) => {
  const dir = folder(t);
  const file = (name, text) => {
    writeFileSync(path.join(dir, name), text);
    return path.join(dir, name);
  };
  const { privateKey } = keyPair('ec', { namedCurve: 'P-256' });
  const cases = [
    [['--jwt-secret', 'short'], /at least 32 bytes/],
    [['--jwt-secret-file', path.join(dir, 'missing')], /No such file/],
    [['--jwt-key', file('empty', '')], /neither PEM nor JSON/],
    [['--jwt-key', file('private', privateKey.export({ type: 'pkcs8', format: 'pem' }))], /private key/],
    [['--jwt-key', file('private.jwk', JSON.stringify(privateKey.export({ format: 'jwk' })))], /private key/],
    [['--jwt-key', file('large', 'x'.repeat(300_000))], /too large/],
    [['--jwt-key', dir], /Is a directory/],
    [['--public-subscribe', '**/a'], /last segment/],
    [['--jwt-secret', 'x'.repeat(40), '--jwt-subscribe', 'users/{sub'], /\{claim\}/],
  ];
  for (const [args, expected] of cases) {
    for (const more of [[], ['--check']]) {
      const result = await run(t, ['serve', '--listen', '127.0.0.1:0', ...args, ...more]);
      assert.notEqual(result.status, 0);
      assert.match(result.stderr, expected);
      assert.ok(!result.stderr.includes('x'.repeat(40)));
    }
  }
});

test('a secret shows up in no answer and no line of the log', async (t) => {
  const server = await guarded(t, ['--log-level', 'debug']);
  const good = token(rights(['a'], ['a']));
  const bad = token(rights(['a']), { key: 'x'.repeat(40) });
  const seen = [];
  for (const headers of [bearer(good), bearer(bad), { cookie: `freshet_token=${good}` }, { cookie: `freshet_token=${bad}` }]) {
    for (const target of ['/events/a', '/events/b', '/api/topics', '/metrics', '/nothing']) {
      seen.push((await get(t, server, target, headers)).body);
    }
  }
  const admin = bearer(token({ freshet: { admin: true } }));
  seen.push(JSON.stringify(await request(t, server, { path: '/api/connections', headers: admin })));
  const socket = await connect(t, server);
  socket.send(`GET /events/a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${bad}\r\nBad Header\r\n\r\n`);
  seen.push(JSON.stringify(await socket.readResponse()));
  await server.stop();
  for (const text of [...seen, server.stderr, server.stdout]) {
    for (const hidden of [secret, good, bad, good.split('.')[2], bad.split('.')[2]]) {
      assert.ok(!text.includes(hidden));
    }
  }
});

test('freshet token signs what freshet serve believes', async (t) => {
  const file = path.join(folder(t), 'secret');
  writeFileSync(file, `${secret}\n`);
  const server = await serve(t, ['--jwt-secret-file', file, '--jwt-issuer', 'me', '--jwt-audience', 'you']);
  const sign = (...args) => run(t, ['token', '--jwt-secret-file', file, '--issuer', 'me', '--audience', 'you', ...args]);
  const made = await sign('--subscribe', 'a,users/{sub}/*', '--publish', 'a', '--subject', 'ann "the first"', '--expires', '1m');
  assert.equal(made.status, 0, made.stderr);
  const { payload } = await jose.jwtVerify(made.stdout.trim(), Buffer.from(secret), { issuer: 'me', audience: 'you' });
  assert.equal(payload.sub, 'ann "the first"');
  assert.equal(payload.exp - payload.iat, 60);
  assert.deepEqual(payload.freshet, { subscribe: ['a', 'users/{sub}/*'], publish: ['a'] });
  await publish(t, server, 'a', 'x', { headers: bearer(made.stdout.trim()) });
  const admin = await sign('--admin', '--expires', '0');
  assert.equal((await get(t, server, '/api/topics', bearer(admin.stdout.trim()))).status, 200);
  for (const [args, expected] of [[['token'], /--jwt-secret-file/], [['token', '--jwt-secret', 'short'], /32 bytes/],
    [['token', '--jwt-secret', secret, '--publish', '**/a'], /last segment/], [['token', '--jwt-secret', secret, 'x'], /no arguments/],
    [['token', '--jwt-secret-file', `${file}.not`], /No such file/]]) {
    const refused = await run(t, args);
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, expected);
  }
});

test('a ticket stands for its bearer once', async (t) => {
  const server = await guarded(t, ['--max-tickets', '2']);
  const headers = bearer(token(rights(['a'], ['a'])));
  const issue = (more = headers) => request(t, server, { method: 'POST', path: '/api/tickets', headers: more });
  const made = await issue();
  assert.equal(made.status, 200, made.body);
  const { ticket, expires_in: expires } = made.json();
  assert.match(ticket, /^[\w-]{32}$/);
  assert.equal(expires, 30);
  const target = (name, value = ticket) => `/events/${name}?ticket=${value}`;
  assertProblem(await get(t, server, target('b', (await issue()).json().ticket)), 403);
  // Neither for publishing, nor for anything else.
  assertChallenge(await request(t, server, { method: 'POST', path: target('a'), body: 'x' }));
  assertChallenge(await request(t, server, { path: `/api/topics?ticket=${ticket}` }));
  const stream = await subscribe(t, server, target('a'));
  await publish(t, server, 'a', '1', { headers });
  assert.equal((await stream.next()).data, '1');
  assertChallenge(await get(t, server, target('a')), true);
  assertChallenge(await get(t, server, target('a', 'nonsense')), true);
  assertChallenge(await issue({}));
  assert.equal((await issue()).status, 200);
  assert.equal((await issue()).status, 200);
  assertProblem(await issue(), 503);
});

test('what a bearer is answered is for no cache, however the right was shown', async (t) => {
  const server = await guarded(t);
  const headers = bearer(token(rights(['a'], ['a'])));
  const first = await publish(t, server, 'a', '1', { headers });
  await publish(t, server, 'a', '2', { headers });
  const target = `/events/a?last_event_id=${first}`;
  const made = await request(t, server, { method: 'POST', path: '/api/tickets', headers });
  for (const answer of [await get(t, server, target, headers), await get(t, server, `${target}&ticket=${made.json().ticket}`)]) {
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.headers['cache-control'], 'private, no-cache');
  }
});

test('without keys there are no tickets', async (t) => {
  const server = await serve(t);
  assertProblem(await request(t, server, { method: 'POST', path: '/api/tickets' }), 404);
  assert.equal((await get(t, server, '/events/a?ticket=x')).status, 200);
});

// An issuer that publishes its keys; `keys` may be changed while it runs, and `asked` counts.
async function issuer(t, keys) {
  const state = { keys, asked: 0, answer: undefined };
  const listener = http.createServer((req, res) => {
    state.asked++;
    state.answer ? state.answer(res) : res.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: state.keys }));
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.after(() => { listener.closeAllConnections(); listener.close(); });
  state.url = `http://127.0.0.1:${listener.address().port}/jwks`;
  return state;
}

function namedKey(kid) {
  const pair = keyPair('ec', { namedCurve: 'P-256' });
  return { jwk: { ...pair.jwk, kid }, token: () => token(rights(['a']), { alg: 'ES256', key: pair.privateKey, header: { kid } }) };
}

test('keys from a URL: at the start, again and again, and when a token names a new one', async (t) => {
  const [first, second, third] = ['first', 'second', 'third'].map(namedKey);
  const from = await issuer(t, [first.jwk]);
  const server = await serve(t, ['--jwt-keys-url', from.url, '--jwt-refresh', '1s']);
  const look = async (key) => (await get(t, server, '/events/a', bearer(key.token()))).status;
  assert.equal(await look(first), 200);
  assert.equal(await look(second), 401);
  from.keys = [first.jwk, second.jwk];
  await until(async () => (await look(second)) === 200, 'the second key is known');
  // What the URL gave last stays good, whatever it says now.
  for (const answer of [(res) => res.writeHead(500).end(), (res) => res.end('nonsense'), (res) => res.end('{"keys":[]}'),
    (res) => res.destroy(), (res) => res.writeHead(302, { location: '/other' }).end(), (res) => res.end('x'.repeat(300_000))]) {
    const before = from.asked;
    from.answer = answer;
    await until(() => from.asked > before + 1, 'it was asked twice more');
    assert.equal(await look(second), 200);
  }
  from.answer = undefined;
  from.keys = [third.jwk];
  await until(async () => (await look(third)) === 200, 'the third key is known');
  assert.equal(await look(first), 401);
});

test('unknown keys make nobody ask more often than every so often', async (t) => {
  const from = await issuer(t, [namedKey('first').jwk]);
  const server = await serve(t, ['--jwt-keys-url', from.url, '--jwt-refresh', '1h']);
  const unknown = bearer(namedKey('unknown').token());
  for (let i = 0; i < 50; i++) {
    assertChallenge(await get(t, server, '/events/a', unknown), true);
  }
  assert.equal(from.asked, 1);
});

test('a server starts although the URL of its keys does not answer', async (t) => {
  const server = await serve(t, ['--jwt-keys-url', 'http://127.0.0.1:1/jwks', '--public-subscribe', 'open']);
  assert.match(server.stderr, /no keys from http:\/\/127\.0\.0\.1:1\/jwks/);
  assert.equal((await get(t, server, '/events/open')).status, 200);
  assertChallenge(await get(t, server, '/events/a', bearer(token(rights(['a'])))), true);
});

test('topics that are added to an open stream are asked for like any others', async (t) => {
  const server = await guarded(t);
  const headers = bearer(token(rights(['a', 'rooms/*'], ['**'])));
  const stream = await subscribe(t, server, '/events/a?control=1', { headers });
  const { connection } = JSON.parse((await stream.next()).data);
  const change = (body, more = headers) => request(t, server, {
    method: 'POST', path: `/api/connections/${connection}/topics`, headers: { 'content-type': 'application/json', ...more }, body: JSON.stringify(body),
  });
  assertProblem(await change({ add: ['rooms/1', 'secret'] }), 403);
  assertProblem(await change({ add: ['rooms/**'] }), 403);
  assertChallenge(await change({ add: ['rooms/1'] }, {}));
  assert.equal((await change({ add: ['rooms/1'], remove: ['a'] })).status, 200);
  await publish(t, server, 'secret', 'no', { headers });
  await publish(t, server, 'rooms/1', 'yes', { headers });
  assert.equal((await stream.takeUntil((event) => event.event === 'message')).at(-1).data, 'yes');
});

test('over a WebSocket its token says what its client may', { skip: await withoutWebSocket() }, async (t) => {
  const server = await guarded(t, ['--cors-origin', 'https://app.example']);
  const text = token(rights(['a', 'rooms/*'], ['a']));
  const denied = async (target, headers = {}) => {
    const socket = await connect(t, server);
    socket.send(handshake(server, target, headers));
    return socket.readResponse();
  };
  assertChallenge(await denied('/events/a'));
  assertProblem(await denied('/events/secret', bearer(text)), 403);
  assertProblem(await denied('/events/a', { cookie: `freshet_token=${text}`, origin: 'https://evil.example' }), 403);
  const ws = await openWebSocket(t, server, '/events/a', { headers: { cookie: `freshet_token=${text}`, origin: 'https://app.example' } });
  const ask = async (message) => {
    ws.say(message);
    return ws.answer();
  };
  assert.equal((await ask({ publish: { topic: 'secret', data: 'x' }, ref: 1 })).error.status, 403);
  assert.equal((await ask({ add: ['secret'], ref: 2 })).error.status, 403);
  assert.deepEqual((await ask({ add: ['rooms/1'], ref: 3 })).changed.topics, ['a', 'rooms/1']);
  assert.ok((await ask({ publish: { topic: 'a', data: 'yes' } })).published.id);
  assert.equal((await ws.events(1))[0].data, 'yes');
});

test('who asked for control events is told that a token ends, and can have the stream go on', async (t) => {
  const server = await guarded(t, ['--jwt-leeway', '0', '--workers', '3']);
  const make = (seconds, topics = ['a']) => bearer(token({ ...rights(topics, ['a']), exp: now() + seconds }));
  const first = make(2);
  const stream = await subscribe(t, server, '/events/a?control=1', { headers: first });
  const name = JSON.parse((await stream.next()).data).connection;
  const renew = (headers, connection = name) => request(t, server, { method: 'POST', path: `/api/connections/${connection}/token`, headers });
  const told = await stream.takeUntil((event) => event.event === 'freshet.expiring');
  assert.ok(JSON.parse(told.at(-1).data).expires_in <= 2);
  assert.equal(told.at(-1).id, undefined);
  assertChallenge(await renew({}));
  assertChallenge(await renew(bearer('nonsense')), true);
  assertProblem(await renew(make(60, ['b'])), 403);
  assertProblem(await renew(make(60), `${name.slice(0, -1)}${name.at(-1) === '0' ? '1' : '0'}`), 404);
  const renewed = await renew(make(60));
  assert.equal(renewed.status, 200, renewed.body);
  assert.ok(renewed.json().expires_in > 50);
  await until(async () => (await get(t, server, '/events/a', first)).status === 401, 'the first token has expired');
  await publish(t, server, 'a', 'still here', { headers: make(60) });
  assert.equal((await stream.takeUntil((event) => event.event === 'message')).at(-1).data, 'still here');
});

test('a stream with a name ends with its token when nobody renews it', async (t) => {
  const server = await guarded(t, ['--jwt-leeway', '0']);
  const headers = bearer(token({ ...rights(['a']), exp: now() + 2 }));
  const stream = await subscribe(t, server, '/events/a?control=1', { headers });
  const before = await stream.finish(); // the clock is the thing here, too
  assert.ok(before.some((event) => event.event === 'freshet.expiring'), JSON.stringify(before));
});

test('a page of another origin publishes nothing and purges nothing, with keys or without', async (t) => {
  const server = await serve(t, ['--cors-origin', 'https://app.example']);
  await publish(t, server, 'a', 'x');
  for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'content-type': 'application/x-www-form-urlencoded' }]) {
    assertProblem(await post(t, server, 'a', 'x', { headers }), 403);
    assertProblem(await request(t, server, { method: 'DELETE', path: '/api/topics/a', headers }), 403);
  }
  // Behind a proxy that does not pass the host on, the browser still says that it is the same site's page.
  for (const headers of [{ origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }, { origin: server.url },
    { origin: 'https://public.example', 'sec-fetch-site': 'same-origin' }, {}]) {
    await publish(t, server, 'a', 'y', { headers });
  }
  const open = await serve(t, ['--cors-origin', '*']);
  await publish(t, open, 'a', 'x', { headers: { origin: 'https://any.example' } });
});
