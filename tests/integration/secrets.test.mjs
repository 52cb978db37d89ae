// Nothing that the server prints, counts or answers tells a secret. The harness looks at what every test of every file
// makes it say (harness/secrets.mjs); here it is made to say as much as it can, and the harness to fail.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  assertNoSecrets, assertProblem, bearer, connect, folder, keepSecret, keepToken, metrics, post, publish, request, rights, run, secret, serve,
  subscribe, test, token,
} from './harness/index.mjs';
import { connectH2, requestH2 } from './harness/h2.mjs';
import { change, open } from './harness/live.mjs';
import { openWebSocket, withoutWebSocket } from './harness/ws.mjs';

const random = () => randomBytes(24).toString('base64url');

const guarded = (t, args = []) => serve(t, ['--log-level', 'debug', ...args], { env: { FRESHET_JWT_SECRET: secret } });

// A program that writes this to the server's standard error before it starts it.
const saying = (text) => ({ through: ['/bin/sh', '-c', 'echo "$0" >&2; exec "$@"', text] });

test('a server that logs a secret fails the test, which says what it was', async (t) => {
  const value = keepSecret(random(), 'a thing of this test');
  const leaking = await serve(t, [], saying(`INFO from 127.0.0.1 with ${value} in it`));
  await assert.rejects(leaking.stop(), /the log tells a thing of this test: INFO from 127\.0\.0\.1 with <here>/);
  const silent = await serve(t, [], saying('INFO from 127.0.0.1'));
  await silent.stop();
});

test('a token is known by its beginning and by its signature, and so is one that was only sent', async (t) => {
  const text = token(rights([random()]));
  const [head, claims, signature] = text.split('.');
  for (const part of [text, signature, `${head}.${claims.slice(0, 20)}`]) {
    assert.throws(() => assertNoSecrets(`x ${part} y`, 'here'), /here tells .* token/);
  }
  assertNoSecrets(`x ${head} y`, 'here');
  const server = await serve(t);
  const sent = random();
  await request(t, server, { path: '/healthz', headers: { cookie: `a=b; freshet_token=${sent}` } });
  assert.throws(() => assertNoSecrets(sent, 'here'), /here tells a token/);
});

const refusedTokens = () => [
  random(), `${random()}.${random()}.${random()}`, token({ ...rights(['a']), exp: 1 }), token(rights(['a']), { key: `another ${secret}` }),
  keepToken(`${token(rights(['a']))}x`), token(rights(['a']), { alg: 'HS256', header: { kid: random() } }).replace(/\.[^.]*$/, '.'),
];

test('tokens that are refused, in every place where one may stand', async (t) => {
  const server = await guarded(t);
  const session = await connectH2(t, server);
  for (const text of refusedTokens()) {
    for (const headers of [bearer(text), { authorization: `Basic ${keepSecret(text, 'a token')}` }, { cookie: `freshet_token=${text}` }]) {
      for (const path of ['/events/b', '/metrics', '/api/connections']) {
        await request(t, server, { path, headers });
        await requestH2(session, { path, headers });
      }
    }
    for (const path of [`/events/a?ticket=${text}`, `/events/a?access_token=${keepSecret(text, 'a token')}`, `/${text}`, `/events?last=${text}`]) {
      assert.ok((await request(t, server, { path })).status >= 400, path);
    }
    const socket = await connect(t, server);
    socket.send(`GET /events/a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${text}\r\n x\r\n\r\n`);
    assertProblem(await socket.readResponse(), 400);
  }
});

test('tokens, tickets and names of connections that are good', { skip: await withoutWebSocket() }, async (t) => {
  const server = await guarded(t);
  const headers = bearer(token({ ...rights(['a', 'b'], ['a']), sub: 'ann', freshet: { subscribe: ['a', 'b'], publish: ['a'], admin: true } }));
  const stream = await subscribe(t, server, '/events/a', { headers });
  const { ticket } = (await request(t, server, { method: 'POST', path: '/api/tickets', headers })).json();
  assert.throws(() => assertNoSecrets(ticket, 'here'), /a ticket/);
  (await subscribe(t, server, `/events/a?ticket=${ticket}`)).close();
  assertProblem(await request(t, server, { path: `/events/a?ticket=${ticket}` }), 401);
  await publish(t, server, 'a', 'x', { headers });
  assertProblem(await post(t, server, 'b', 'x', { headers }), 403);
  await openWebSocket(t, server, '/events/a', { headers });
  for (const path of ['/metrics', '/api/connections', '/api/topics']) {
    const { body } = await request(t, server, { path, headers });
    assertNoSecrets(body, path);
  }
  await stream.next();
  const free = await serve(t, ['--log-level', 'debug']);
  const named = await open(t, free, '/events/a');
  await change(t, free, named.name, { add: ['b'] });
  assertProblem(await request(t, free, { method: 'POST', path: `/api/connections/${named.name}/topics`, body: 'no' }), 400);
  assertNoSecrets((await request(t, free, { path: '/api/connections' })).body, '/api/connections');
  await metrics(t, free);
});

// The harness looks at what these print to standard error.
test('settings that are refused do not quote secrets', async (t) => {
  const value = keepSecret(random().slice(0, 20), 'a secret that is too short');
  const dir = folder(t);
  writeFileSync(join(dir, 'secret'), value);
  writeFileSync(join(dir, 'conf'), `jwt-secret = ${value}\n`);
  writeFileSync(join(dir, 'key'), `-----BEGIN PRIVATE KEY-----\n${value}\n-----END PRIVATE KEY-----\n`);
  const starts = [['--jwt-secret', value], ['--jwt-secret-file', join(dir, 'secret')], ['--config', join(dir, 'conf')], ['--jwt-key', join(dir, 'key')]];
  for (const args of starts) {
    const { status } = await run(t, ['serve', '--check', ...args]);
    assert.notEqual(status, 0, args[0]);
  }
});
