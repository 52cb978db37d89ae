// Whose page may ask, and by which name: origins by pattern, names of hosts, what answers tell a browser. Each rule with
// its refused twin.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertProblem, connect, post, publish, request, run, serve, subscribe, test } from './harness/index.mjs';
import { connectH2, requestH2 } from './harness/h2.mjs';
import { certificate, folder } from './harness/certificates.mjs';
import { bearer, rights, secret, token } from './harness/tokens.mjs';

const patterns = ['--cors-origin', 'https://*.example.com', '--cors-origin', 'http://localhost:*', '--cors-origin', 'null'];

const ask = (t, server, headers, { method = 'GET', path = '/healthz' } = {}) => request(t, server, { method, path, headers });

const byName = (t, server, host, options) => ask(t, server, { host }, options);

async function assertStranger(response, name) {
  const { detail } = assertProblem(response, 403);
  assert.match(detail, /does not know the name/);
  assert.ok(detail.includes(`--host ${name}`), detail);
}

test('origins by pattern: one label, any port, and nothing else', async (t) => {
  const server = await serve(t, patterns);
  for (const origin of ['https://app.example.com', 'https://x-1.example.com', 'http://localhost', 'http://localhost:5173', 'null']) {
    const { headers } = await ask(t, server, { origin });
    assert.equal(headers['access-control-allow-origin'], origin);
    assert.equal(headers['timing-allow-origin'], origin);
    assert.equal(headers['cross-origin-resource-policy'], 'cross-origin');
    assert.match(headers.vary, /\bOrigin\b/);
  }
  for (const origin of ['https://example.com', 'https://a.b.example.com', 'http://app.example.com', 'https://app.example.com:8443',
    'https://app.example.com.evil.example', 'https://evil.example/.example.com', 'https://localhost', 'http://a.localhost',
    'http://localhost:x', 'http://127.0.0.1']) {
    const { headers } = await ask(t, server, { origin });
    assert.equal(headers['access-control-allow-origin'], undefined, origin);
    assert.equal(headers['timing-allow-origin'], undefined, origin);
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin', origin);
    assertProblem(await post(t, server, 'a', 'x', { headers: { origin } }), 403);
  }
  await publish(t, server, 'a', 'x', { headers: { origin: 'https://app.example.com' } });
});

test('a preflight may be remembered for as long as --cors-max-age says', async (t) => {
  const preflight = { origin: 'https://app.example.com', 'access-control-request-method': 'POST' };
  const day = await ask(t, await serve(t, patterns), preflight, { method: 'OPTIONS', path: '/events/a' });
  assert.equal(day.headers['access-control-max-age'], '86400');
  const server = await serve(t, [...patterns, '--cors-max-age', '10m']);
  const minutes = await ask(t, server, preflight, { method: 'OPTIONS', path: '/events/a' });
  assert.equal(minutes.headers['access-control-max-age'], '600');
  const other = await ask(t, server, { ...preflight, origin: 'https://evil.example' }, { method: 'OPTIONS', path: '/events/a' });
  assert.equal(other.headers['access-control-max-age'], undefined);
});

test('a cookie counts for the pages that a pattern names, and never by way of * or null', async (t) => {
  const server = await serve(t, ['--jwt-secret', secret, ...patterns, '--cors-origin', '*']);
  const cookie = `freshet_token=${token(rights(['a']))}`;
  const from = (origin) => ask(t, server, { cookie, origin, accept: 'application/json' }, { path: '/events/a' });
  const named = await from('https://app.example.com');
  assert.equal(named.status, 200);
  assert.equal(named.headers['access-control-allow-credentials'], 'true');
  assert.equal(named.headers['access-control-allow-origin'], 'https://app.example.com');
  for (const origin of ['https://evil.example', 'null', 'https://a.b.example.com']) {
    const response = await from(origin);
    assertProblem(response, 403);
    assert.equal(response.headers['access-control-allow-credentials'], undefined);
    assert.equal(response.headers['access-control-allow-origin'], origin === 'null' ? 'null' : '*');
  }
});

test('a page that may not read a stream does not get one', async (t) => {
  const server = await serve(t, ['--cors-origin', 'https://app.example']);
  const refused = [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', origin: 'https://evil.example' }];
  for (const headers of refused) {
    assertProblem(await ask(t, server, headers, { path: '/events/a' }), 403);
    assertProblem(await ask(t, server, headers, { path: '/events?topic=a' }), 403);
    assert.equal((await ask(t, server, headers)).status, 200); // tells nothing
  }
  for (const headers of [{ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }, { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, // a link that somebody followed
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', origin: 'https://app.example' }]) {
    (await subscribe(t, server, '/events/a', { headers })).close();
  }
});

test('without keys, on this machine alone: no name but its own is answered', async (t) => {
  const server = await serve(t, [], { nameless: true });
  const { port } = server;
  for (const host of [`127.0.0.1:${port}`, 'localhost', `LOCALHOST:${port}`, 'app.localhost:1', '[::1]', '192.0.2.7', 'localhost.']) {
    assert.equal((await byName(t, server, host)).status, 200, host);
  }
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example', 'h']) {
    const response = await byName(t, server, host);
    await assertStranger(response, host.replace(/:.*/, ''));
    assert.equal(response.headers['access-control-allow-origin'], undefined);
  }
  // A page whose name was made to resolve to this machine is of the server's own origin, for its browser.
  const rebound = { host: 'evil.example', 'sec-fetch-site': 'same-origin' };
  await assertStranger(await ask(t, server, { ...rebound, 'sec-fetch-mode': 'cors' }, { path: '/events/a' }), 'evil.example');
  await assertStranger(await post(t, server, 'a', 'x', { headers: { ...rebound, origin: 'http://evil.example' } }), 'evil.example');
  await assertStranger(await ask(t, server, rebound, { method: 'OPTIONS', path: '*' }), 'evil.example');
  await assertStranger(await ask(t, server, { ...rebound, upgrade: 'websocket', connection: 'upgrade', 'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }, { path: '/events/a' }), 'evil.example');
  assert.equal((await request(t, server, { path: '/healthz', version: '1.0', headers: { host: undefined } })).status, 200);
});

test('the name of an absolute target counts, and so does :authority', async (t) => {
  const server = await serve(t, [], { nameless: true });
  const absolute = async (name, version, host) => {
    const socket = await connect(t, server);
    socket.send(`GET http://${name}/healthz HTTP/${version}\r\n${host ? `Host: ${host}\r\n` : ''}Connection: close\r\n\r\n`);
    return socket.readResponse();
  };
  assert.equal((await absolute('localhost:80', '1.1', 'localhost:80')).status, 200);
  await assertStranger(await absolute('evil.example', '1.1', 'evil.example'), 'evil.example');
  await assertStranger(await absolute('evil.example', '1.0'), 'evil.example');
  assertProblem(await absolute('evil.example', '1.1', 'localhost'), 400);
  const session = await connectH2(t, server);
  assert.equal((await requestH2(session, { path: '/healthz', headers: { ':authority': 'localhost' } })).status, 200);
  const refused = await requestH2(session, { path: '/healthz', headers: { ':authority': 'evil.example' } });
  assert.equal(refused.status, 403);
});

test('--host names names; * and keys let all be', async (t) => {
  const named = await serve(t, ['--host', 'events.example.com', '--host', '*.dev.example.com']);
  for (const host of ['events.example.com', 'Events.Example.com:8443', 'a.dev.example.com', '127.0.0.1', 'localhost']) {
    assert.equal((await byName(t, named, host)).status, 200, host);
  }
  for (const host of ['example.com', 'a.events.example.com', 'dev.example.com', 'a.b.dev.example.com', 'events.example.com.evil.example']) {
    await assertStranger(await byName(t, named, host), host);
  }
  const any = await serve(t, ['--host', '*']);
  assert.equal((await byName(t, any, 'evil.example')).status, 200);
  // With keys, a page that was made to look like the server's own gets what everybody gets.
  const keyed = await serve(t, ['--jwt-secret', secret], { nameless: true });
  assert.equal((await byName(t, keyed, 'events.example.com')).status, 200);
  assert.equal((await ask(t, keyed, { host: 'x.example', ...bearer(token(rights(['a']))), accept: 'application/json' }, { path: '/events/a' })).status, 200);
  const strict = await serve(t, ['--jwt-secret', secret, '--host', 'events.example.com']);
  await assertStranger(await byName(t, strict, 'x.example'), 'x.example');
});

test('a proxy that comes by a Unix socket, or says whose connection it is, may pass a public name on', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'freshet-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 's');
  const server = await serve(t, ['--listen', `unix:${path}`, '--listen', '127.0.0.1:0;proxy', '--trusted-proxies', '127.0.0.1'], { nameless: true });
  assert.equal((await byName(t, { path }, 'events.example.com')).status, 200);
  const [, port] = await server.output(/listening on http:[^\n]*\n(?:[^\n]*\n)*listening on http:\/\/127\.0\.0\.1:(\d+)/);
  const socket = await connect(t, { port: Number(port) });
  socket.send('PROXY TCP4 192.0.2.1 192.0.2.2 5 6\r\nGET /healthz HTTP/1.1\r\nHost: events.example.com\r\nConnection: close\r\n\r\n');
  assert.equal((await socket.readResponse()).status, 200);
  await assertStranger(await byName(t, server, 'events.example.com'), 'events.example.com');
});

test('over TLS every name is fine, because the certificate tells', async (t) => {
  const pair = certificate(folder(t), 'server');
  const server = await serve(t, ['--tls-cert', pair.cert, '--tls-key', pair.key],
    { listen: 'https://127.0.0.1:0', secure: { ca: pair.pem, servername: 'localhost' }, nameless: true });
  assert.equal((await byName(t, server, 'events.example.com')).status, 200);
});

test('names and origins that could never match, or would match everybody, are refused at the start', async (t) => {
  const start = (...args) => run(t, ['serve', '--check', ...args]);
  for (const [flag, value] of [['--host', 'a:80'], ['--host', '*.com'], ['--host', 'https://a.example'], ['--host', 'a.*.example.com'],
    ['--cors-origin', 'https://*'], ['--cors-origin', 'https://*.com'], ['--cors-origin', '*://a.example'],
    ['--cors-origin', 'https://a.example/'], ['--cors-origin', 'https://a.*.example.com']]) {
    const { status, stderr } = await start(flag, value);
    assert.equal(status, 2, `${flag} ${value}`);
    assert.ok(stderr.includes(flag) && stderr.includes(value), stderr);
  }
  assert.equal((await start('--host', '*.example.com,[::1],a', '--cors-origin', 'https://*.example.com:*')).status, 0);
});
