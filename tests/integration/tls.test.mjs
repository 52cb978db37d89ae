// TLS, as clients meet it: versions, names, resumption, certificates of clients, and everything that a hostile or slow
// peer may do before and after the handshake.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync, chmodSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import {
  certificate, connect, folder, limitHits, metric, post, publish, publisher, replace, request, run, serve, subscribe,
  test, tlsServer, until, within,
} from './harness/index.mjs';
import { connectH2, requestH2, subscribeH2 } from './harness/h2.mjs';

const exec = promisify(execFile);

// Connects and gives back what was agreed on.
async function handshake(t, server, options) {
  const socket = tls.connect({ port: server.port, host: '127.0.0.1', ...server.secure, ...options });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await within(once(socket, 'secureConnect'), 'a handshake');
  return socket;
}

// The error that a handshake ends with. TLS 1.3 tells some of them only behind the client's last word.
async function handshakeError(t, server, options) {
  const socket = tls.connect({ port: server.port, host: '127.0.0.1', ...server.secure, ...options });
  t.after(() => socket.destroy());
  return within(new Promise((resolve) => {
    socket.on('error', resolve);
    socket.on('end', () => resolve(new Error('closed')));
    socket.resume();
  }), 'the handshake to fail');
}

async function serveTls(t, ...args) {
  return serve(t, ...tlsServer(certificate(folder(t), 'server'), ...args));
}

const commonName = (socket) => socket.getPeerCertificate().subject.CN;

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`a listener and a publisher over ${version}`, async (t) => {
    const server = await serveTls(t);
    server.secure = { ...server.secure, minVersion: version, maxVersion: version };
    assert.match(server.url, /^https:/);
    const stream = await subscribe(t, server, '/events/a');
    assert.equal(stream.socket.socket.getProtocol(), version);
    const send = await publisher(t, server, 'a');
    for (let i = 0; i < 100; i++) {
      await send(`${i} ${'x'.repeat(i * 100)}`);
    }
    const events = await stream.take(100);
    events.forEach((event, i) => assert.equal(event.data, `${i} ${'x'.repeat(i * 100)}`));
  });
}

test('ALPN: HTTP/2 before HTTP/1.1, and what nobody speaks is refused', async (t) => {
  const server = await serveTls(t);
  assert.equal((await handshake(t, server, { ALPNProtocols: ['http/1.1', 'h2'] })).alpnProtocol, 'h2');
  assert.equal((await handshake(t, server, { ALPNProtocols: ['spdy/1', 'http/1.1'] })).alpnProtocol, 'http/1.1');
  assert.equal((await handshake(t, server, {})).alpnProtocol, false);
  const error = await handshakeError(t, server, { ALPNProtocols: ['spdy/1'] });
  assert.match(error.message, /no.application.protocol/i);
});

test('HTTP/2: a hundred listeners and a publisher on one connection, and a replay that is larger than every buffer', async (t) => {
  const server = await serveTls(t, '--history-bytes', '16m');
  const session = await connectH2(t, server, { ca: server.secure.ca, servername: 'localhost' });
  const listeners = [];
  for (let i = 0; i < 100; i++) {
    listeners.push(await subscribeH2(session, `/events/topic${i % 10}`));
  }
  for (let i = 0; i < 10; i++) {
    await requestH2(session, { method: 'POST', path: `/events/topic${i}`, body: `to ${i}` });
  }
  for (const [i, listener] of listeners.entries()) {
    assert.equal((await listener.next()).data, `to ${i % 10}`);
  }
  for (let i = 0; i < 100; i++) {
    await requestH2(session, { method: 'POST', path: '/events/long', body: `${i} ${'x'.repeat(50_000)}` });
  }
  const replay = await subscribeH2(session, '/events/long?last_event_id=earliest');
  for (let i = 0; i < 100; i++) {
    assert.equal((await replay.next()).data, `${i} ${'x'.repeat(50_000)}`);
  }
});

test('old versions are refused, and 1.2 too where 1.3 is asked for', async (t) => {
  const server = await serveTls(t);
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  assert.match((await handshakeError(t, server, old)).message, /alert protocol version|unsupported/i);
  const strict = await serveTls(t, '--tls-min-version', '1.3');
  const error = await handshakeError(t, strict, { maxVersion: 'TLSv1.2' });
  assert.match(error.message, /alert protocol version/i);
  assert.equal((await handshake(t, strict)).getProtocol(), 'TLSv1.3');
});

test('curl', async (t) => {
  const pair = certificate(folder(t), 'server');
  const server = await serve(t, ...tlsServer(pair));
  const { stdout } = await exec('curl', ['-sS', '--cacert', pair.cert, '-d', 'hello', `${server.url}/events/a`]);
  assert.match(stdout, /^\{"id":"\d+-\d+"\}$/);
  await assert.rejects(exec('curl', ['-sS', `${server.url}/events/a`]), /certificate/);
});

test('EventSource, from npm', async (t) => {
  const pair = certificate(folder(t), 'server');
  const server = await serve(t, ...tlsServer(pair));
  const id = await publish(t, server, 'a', 'before');
  const code = `import { EventSource } from 'eventsource';
    const source = new EventSource('${server.url}/events/a?last_event_id=earliest');
    source.onmessage = (event) => { console.log(event.lastEventId, event.data); source.close(); };
    source.onerror = (event) => { console.log('error', event.message); source.close(); };`;
  const { stdout } = await exec(process.execPath, ['--input-type=module', '-e', code],
    { cwd: path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..'),
      env: { ...process.env, NODE_EXTRA_CA_CERTS: pair.cert } });
  assert.equal(stdout, `${id} before\n`);
});

test('the name that a client asks for picks the certificate', async (t) => {
  const dir = folder(t);
  const first = certificate(dir, 'first', { names: ['first.test'] });
  const wild = certificate(dir, 'wild', { names: ['*.wild.test'] });
  const exact = certificate(dir, 'exact', { names: ['exact.wild.test', 'other.test'] });
  const args = [first, wild, exact].flatMap((pair) => ['--tls-cert', pair.cert, '--tls-key', pair.key]);
  const server = await serve(t, args);
  for (const [name, expected] of [
    ['first.test', 'first.test'], ['FIRST.test', 'first.test'], ['a.wild.test', '*.wild.test'],
    ['exact.wild.test', 'exact.wild.test'], ['other.test', 'exact.wild.test'], ['a.b.wild.test', 'first.test'],
    ['wild.test', 'first.test'], ['unknown.test', 'first.test'], ['', 'first.test'],
  ]) {
    const socket = await handshake(t, server, { servername: name, rejectUnauthorized: false });
    assert.equal(commonName(socket), expected, `for ${name || 'no name'}`);
    socket.destroy();
  }
});

// One request on a connection; gives back the session, to be resumed, and whether it was one that was.
async function session(t, server, options) {
  const socket = tls.connect({ port: server.port, host: '127.0.0.1', ...server.secure, ...options });
  t.after(() => socket.destroy());
  const ticket = once(socket, 'session');
  socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  await within(once(socket, 'data'), 'the answer');
  const reused = socket.isSessionReused();
  const [saved] = reused ? [options.session] : await within(ticket, 'a ticket');
  socket.destroy();
  return { saved, reused };
}

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`sessions are resumed by every worker, and across a reload, with ${version}`, async (t) => {
    const server = await serveTls(t, '--workers', '2');
    const options = { minVersion: version, maxVersion: version };
    const { saved } = await session(t, server, options);
    for (let i = 0; i < 12; i++) {
      assert.ok((await session(t, server, { ...options, session: saved })).reused);
    }
    server.kill('SIGHUP');
    await server.says(/certificates loaded/);
    assert.ok((await session(t, server, { ...options, session: saved })).reused);
    assert.equal(await metric(t, server, 'freshet_tls_handshakes_total', 'result="resumed"'), 13);
  });
}

test('clients without a certificate of the authority are not let in', async (t) => {
  const dir = folder(t);
  const authority = certificate(dir, 'authority', { names: ['authority'] });
  const other = certificate(dir, 'other', { names: ['other'] });
  const client = certificate(dir, 'client', { names: ['client'], ca: authority });
  const stranger = certificate(dir, 'stranger', { names: ['stranger'], ca: other });
  const server = await serve(t, ...tlsServer(certificate(dir, 'server'), '--tls-client-ca', authority.cert));
  const { ca } = server.secure;
  const identity = (pair) => ({ ca, servername: 'localhost', cert: pair.pem, key: readFileSync(pair.key) });
  assert.match((await handshakeError(t, server)).message, /certificate required|closed/i);
  assert.ok(await handshakeError(t, server, identity(stranger)));
  server.secure = identity(client);
  assert.equal((await request(t, server, { path: '/healthz' })).status, 200);

  // A session is as good as the certificate that it began with, but not under another authority.
  const { saved } = await session(t, server);
  assert.ok((await session(t, server, { session: saved })).reused);
  writeFileSync(authority.cert, other.pem);
  server.kill('SIGHUP');
  await server.says(/certificates loaded/);
  assert.ok(await handshakeError(t, server, { session: saved }));
});

for (const way of ['SIGHUP', 'the files change']) {
  test(`when ${way}, new connections get the new certificate and streams go on`, async (t) => {
    const dir = folder(t);
    const before = certificate(dir, 'before', { names: ['before.test'] });
    const after = certificate(dir, 'after', { names: ['after.test'] });
    const server = await serve(t, ['--tls-cert', before.cert, '--tls-key', before.key],
      { secure: { rejectUnauthorized: false } });
    const stream = await subscribe(t, server, '/events/a');
    const send = await publisher(t, server, 'a');
    await send('1');
    replace(before, after);
    if (way === 'SIGHUP') {
      server.kill('SIGHUP');
    }
    await server.says(/certificates loaded/);
    await send('2');
    assert.deepEqual((await stream.take(2)).map((event) => event.data), ['1', '2']);
    assert.equal(commonName(stream.socket.socket), 'before.test');
    assert.equal(commonName(await handshake(t, server)), 'after.test');
    await send('3');
    assert.equal((await stream.next()).data, '3');
  });
}

test('a new certificate that cannot be used is refused, and the old one goes on', async (t) => {
  const pair = certificate(folder(t), 'server');
  const server = await serve(t, ...tlsServer(pair));
  writeFileSync(pair.cert, 'nothing\n');
  await server.says(/the new certificates are not used, those before go on: .*server\.pem is no certificate/);
  assert.equal((await request(t, server, { path: '/healthz' })).status, 200);
  writeFileSync(pair.cert, pair.pem);
  await server.says(/certificates loaded/);
  assert.equal((await request(t, server, { path: '/healthz' })).status, 200);
});

test('who stalls before or in the handshake is closed in time', async (t) => {
  const server = await serveTls(t, '--header-timeout', '300ms');
  const silent = await connect(t, server, { secure: undefined });
  const half = await connect(t, server, { secure: undefined });
  half.send(Buffer.from('16030102000100', 'hex'));
  await silent.waitClosed();
  await half.waitClosed();
  // And after it.
  const idle = await connect(t, server);
  await idle.waitClosed();
  assert.equal(await limitHits(t, server, 'header-timeout'), 3);
});

test('one handshake too many: the one that takes longest is given up', async (t) => {
  const server = await serveTls(t, '--max-handshakes', '4', '--workers', '1');
  const hello = Buffer.from('1603010200', 'hex'); // of a record that does not come
  const stalled = [];
  for (let i = 0; i < 8; i++) {
    const socket = await connect(t, server, { secure: undefined });
    socket.send(hello);
    stalled.push(socket);
  }
  for (const socket of stalled.slice(0, 3)) {
    await socket.waitClosed();
  }
  assert.equal((await request(t, server, { path: '/healthz' })).status, 200);
  assert.ok((await limitHits(t, server, 'max-handshakes')) >= 4);
  assert.ok(!stalled[7].closed, 'who came last may go on');
});

test('what is no handshake is an alert and a close; plain HTTP gets a sentence', async (t) => {
  const server = await serveTls(t);
  for (const garbage of ['garbage garbage garbage\r\n', Buffer.alloc(1000, 0xff), Buffer.from('160301ffff', 'hex')]) {
    const socket = await connect(t, server, { secure: undefined });
    socket.send(garbage);
    await socket.waitClosed();
  }
  for (const method of ['GET', 'POST', 'HEAD']) {
    const socket = await connect(t, server, { secure: undefined });
    socket.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    const response = await socket.readResponse();
    assert.equal(response.status, 400);
    assert.equal(response.body, 'this port speaks HTTPS: write https:// in the address\n');
    await socket.waitClosed();
  }
  assert.equal(await metric(t, server, 'freshet_tls_handshakes_total', 'result="failed"'), 6);
});

test('renegotiation is refused', async (t) => {
  const server = await serveTls(t);
  const socket = await handshake(t, server, { maxVersion: 'TLSv1.2' });
  const [error] = await within(new Promise((resolve) => {
    socket.renegotiate({}, (...result) => resolve(result));
    socket.once('error', (failure) => resolve([failure]));
  }), 'the refusal');
  assert.match(error.message, /no renegotiation/i);
});

test('a body in records of every size, and a request that ends in one with the next', async (t) => {
  const server = await serveTls(t, '--max-body', '2m', '--history-topic-bytes', '16m');
  const stream = await subscribe(t, server, '/events/a');
  const large = 'y'.repeat(1_500_000);
  assert.equal((await post(t, server, 'a', large)).status, 200);
  assert.equal((await stream.next()).data, large);
  const socket = await connect(t, server);
  for (const byte of 'POST /events/a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd') {
    await socket.send(byte); // a record each
  }
  assert.equal((await socket.readResponse()).status, 200);
  // More than one read takes, all of it in the hands of OpenSSL at once.
  const one = `POST /events/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n${'z'.repeat(1000)}`;
  socket.send(one.repeat(300));
  for (let i = 0; i < 300; i++) {
    assert.equal((await socket.readResponse()).status, 200);
  }
  assert.equal((await stream.next()).data, 'abcd');
  assert.equal((await stream.take(300)).length, 300);
});

test('a slow reader gets ten megabytes in order and whole', { timeout: 120_000 }, async (t) => {
  const server = await serveTls(t, '--history-topic-bytes', '64m', '--history-bytes', '64m', '--socket-buffer', '16k');
  const send = await publisher(t, server, 'a');
  const body = (i) => `${i} ${String.fromCharCode(97 + (i % 26)).repeat(10_000 + (i % 777))}`;
  const live = await subscribe(t, server, '/events/a');
  live.socket.pause();
  for (let i = 0; i < 1000; i++) {
    await send(body(i));
  }
  const replay = await subscribe(t, server, '/events/a?last_event_id=earliest');
  // Stop and go: the socket is full again and again, in the middle of records.
  let got = 0;
  replay.socket.socket.on('data', (chunk) => {
    got += chunk.length;
    if (got > 100_000) {
      got = 0;
      replay.socket.pause();
      setImmediate(() => replay.socket.resume());
    }
  });
  for (const stream of [replay, live]) {
    stream.socket.resume();
    const events = await stream.take(1000, 60_000);
    events.forEach((event, i) => assert.equal(event.data, body(i)));
  }
  assert.ok((await metric(t, server, 'freshet_stalls_total')) > 0, 'the sockets were full at times');
});

test('the last answer arrives whole, although the server has closed and the reader is slow', async (t) => {
  const server = await serveTls(t, '--socket-buffer', '8k', '--send-bytes', '1m', '--max-answer', '1m');
  const send = await publisher(t, server, 'a');
  for (let i = 0; i < 60; i++) {
    await send('x'.repeat(10_000));
  }
  const socket = await connect(t, server);
  socket.pause();
  socket.send('GET /events/a?last_event_id=earliest HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nConnection: close\r\n\r\n');
  await until(async () => (await metric(t, server, 'freshet_subscriptions_ended_total')) === 1, 'the poll is answered');
  socket.resume();
  const response = await socket.readResponse();
  assert.equal(response.json().events?.length ?? response.json().length, 60);
  await socket.waitClosed();
  assert.equal(socket.error, undefined);
});

test('a listener that goes away, with and without a goodbye, is gone', async (t) => {
  const server = await serveTls(t);
  const gone = async (leave) => {
    const stream = await subscribe(t, server, '/events/a');
    leave(stream.socket.socket);
    await until(async () => (await metric(t, server, 'freshet_subscribers')) === 0, 'it is gone');
  };
  await gone((socket) => socket.end());
  await gone((socket) => socket.destroy());
  await gone((socket) => socket._handle?.reset?.() ?? socket.destroy());
});

test('a body that is cut off publishes nothing', async (t) => {
  const server = await serveTls(t);
  const stream = await subscribe(t, server, '/events/a');
  for (const leave of [(socket) => socket.end(), (socket) => socket.destroy()]) {
    const socket = await connect(t, server);
    await socket.send('POST /events/a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    leave(socket.socket);
  }
  await publish(t, server, 'a', 'whole');
  assert.equal((await stream.next()).data, 'whole');
});

test('drain says goodbye over TLS too', async (t) => {
  const server = await serveTls(t, '--drain', '100ms');
  const streams = await Promise.all([...Array(10)].map(() => subscribe(t, server, '/events/a')));
  server.kill('SIGTERM');
  for (const stream of streams) {
    await stream.finish();
    assert.equal(stream.retries.length, 2);
  }
  assert.equal(await server.ending(), 0);
});

test('a handshake flood does not keep a listener from its events', async (t) => {
  const server = await serveTls(t, '--workers', '1');
  const stream = await subscribe(t, server, '/events/a');
  const flood = [...Array(200)].map(() => handshake(t, server));
  const send = await publisher(t, server, 'a');
  for (let i = 0; i < 50; i++) {
    await send(String(i));
    assert.equal((await stream.next()).data, String(i));
  }
  await Promise.all(flood);
});

// --- addresses, redirect and HSTS ---

// Both URLs of a server that listens twice.
async function twoAddresses(t, args) {
  const pair = certificate(folder(t), 'server');
  const server = await serve(t, ['--tls-cert', pair.cert, '--tls-key', pair.key, '--listen', 'http://127.0.0.1:0', ...args],
    { listen: 'https://127.0.0.1:0', secure: { ca: pair.pem, servername: 'localhost' } });
  await server.output(/listening on http:/);
  const [, plainUrl] = server.stdout.match(/^listening on (http:\S+)$/m);
  return { server, plain: { url: plainUrl, port: Number(new URL(plainUrl).port) } };
}

test('one address speaks TLS, the other does not, and both see the same events', async (t) => {
  const { server, plain } = await twoAddresses(t, []);
  const stream = await subscribe(t, server, '/events/a');
  await publish(t, plain, 'a', 'hello');
  assert.equal((await stream.next()).data, 'hello');
});

test('--redirect-http sends plain requests to the same place over https', async (t) => {
  const { server, plain } = await twoAddresses(t, ['--redirect-http', '--hsts', '365d', '--host', 'news.test']);
  const response = await request(t, plain, { path: '/events/a%20b?x=1', headers: { host: 'news.test:80' } });
  assert.equal(response.status, 308);
  assert.equal(response.headers.location, `https://news.test:${server.port}/events/a%20b?x=1`);
  assert.equal(response.headers['strict-transport-security'], undefined, 'nobody must believe it in plain text');
  assert.equal((await request(t, plain, { method: 'POST', path: '/events/a', body: 'x' })).status, 308);
  const six = await request(t, plain, { path: '/', headers: { host: '[::1]' } });
  assert.equal(six.headers.location, `https://[::1]:${server.port}/`);
  assert.equal((await request(t, plain, { version: '1.0', headers: { host: undefined } })).status, 400);
  for (const path of ['/healthz', '/nothing', '/events']) {
    const over = await request(t, server, { path });
    assert.equal(over.headers['strict-transport-security'], 'max-age=31536000');
  }
  const session = await connectH2(t, server, { ca: server.secure.ca, servername: 'localhost' });
  const health = await requestH2(session, { path: '/healthz' });
  assert.equal(health.status, 200, 'and who comes by HTTP/2 is there already');
  assert.equal(health.headers['strict-transport-security'], 'max-age=31536000');
});

// --- settings ---

test('serve --check says what is wrong with a certificate', async (t) => {
  const dir = folder(t);
  const pair = certificate(dir, 'server');
  const other = certificate(dir, 'other');
  const together = path.join(dir, 'together.pem');
  writeFileSync(together, readFileSync(pair.key, 'utf8') + pair.pem, { mode: 0o600 });
  const locked = path.join(dir, 'locked.key');
  await exec('openssl', ['pkey', '-in', pair.key, '-aes128', '-passout', 'pass:secret', '-out', locked]);
  const cert = ['--tls-cert', pair.cert];
  const cases = [
    [[...cert, '--tls-key', pair.key], 0, /settings are fine/],
    [['--tls-cert', together], 0, /settings are fine/],
    [cert, 2, /server\.pem holds no key in PEM form/],
    [[...cert, '--tls-key', other.key], 2, /other\.key does not belong to the certificate in .*server\.pem/],
    [[...cert, '--tls-key', locked], 2, /has a passphrase/],
    [[...cert, '--tls-key', pair.cert], 2, /holds no key/],
    [[...cert, ...cert, '--tls-key', pair.key], 2, /2 times --tls-cert but 1 times --tls-key/],
    [['--tls-cert', path.join(dir, 'none.pem')], 1, /cannot read the certificate .*none\.pem: No such file/],
    [['--tls-cert', pair.key], 2, /is no certificate that can be used: it holds none in PEM form/],
    [['--tls-key', pair.key], 2, /name the certificate too/],
    [['--listen', 'https://127.0.0.1:0'], 2, /says https:\/\/, but there is no certificate/],
    [[...cert, '--tls-key', pair.key, '--listen', 'http://127.0.0.1:0'], 2, /every address says http:/],
    [[...cert, '--tls-key', pair.key, '--redirect-http'], 2, /needs an address that says http:/],
    [['--hsts', '1d'], 2, /for a server with certificates/],
    [['--tls-client-auth', 'required'], 2, /for a server with certificates/],
    [[...cert, '--tls-key', pair.key, '--tls-client-auth', 'required'], 2, /name the authorities with --tls-client-ca/],
    [[...cert, '--tls-self-signed'], 2, /drop one/],
    [[...cert, '--tls-key', pair.key, '--tls-client-ca', pair.key], 2, /holds no certificates of authorities/],
  ];
  for (const [args, status, pattern] of cases) {
    const result = await run(t, ['serve', '--check', ...args]);
    assert.match(result.stdout + result.stderr, pattern);
    assert.equal(result.status, status, args.join(' '));
  }
});

test('a key that everyone can read is warned of', async (t) => {
  const pair = certificate(folder(t), 'server');
  chmodSync(pair.key, 0o644);
  const server = await serve(t, ...tlsServer(pair));
  await server.says(/everyone can read the key in .*server\.key: chmod/);
});

test('--tls-self-signed makes a certificate that can be trusted, once', async (t) => {
  const state = folder(t);
  const env = { XDG_STATE_HOME: state };
  const fingerprint = async (server) => (await server.says(/self-signed certificate (\S+), SHA-256 ([0-9A-F:]+)/)).slice(1);
  const first = await serve(t, ['--tls-self-signed'], { env });
  const [file, sum] = await fingerprint(first);
  await first.says(/to trust it: curl --cacert/);
  for (const servername of ['localhost', undefined]) {
    first.secure = { ca: readFileSync(file), servername };
    assert.equal((await request(t, first, { path: '/healthz' })).status, 200);
  }
  assert.equal((await handshake(t, first)).getPeerCertificate().fingerprint256, sum);
  const second = await serve(t, ['--tls-self-signed'], { env });
  assert.deepEqual(await fingerprint(second), [file, sum]);
  const broken = await run(t, ['serve', '--tls-self-signed'], { env: { XDG_STATE_HOME: '/proc/nowhere' } });
  assert.match(broken.stderr, /set XDG_STATE_HOME/);
  assert.equal(broken.status, 1);
});

test('SIGHUP without certificates, and without a service manager, ends the server, as it always did', async (t) => {
  const server = await serve(t);
  server.kill('SIGHUP');
  assert.equal(await server.ending(), 'SIGHUP');
});
