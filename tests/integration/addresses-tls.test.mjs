// Addresses that differ in how they are served: sections [listen "ADDRESS"] of the config file. Whatever one address
// asks for, the other must not.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import {
  certificate, connect, folder, metric, publish, replace, request, run, serve, subscribe, test as anywhere, within,
} from './harness/index.mjs';
import { connectH2, preface, requestH2 } from './harness/h2.mjs';

const linux = process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8';
const test = (name, fn) => anywhere(name, { skip: linux }, fn);

// Two addresses of this machine, and a config file that names them. `text` gets them as they are written.
async function serveTwo(t, dir, text, { schemes = ['https', 'https'], args = [], ...options } = {}) {
  const addresses = [`${schemes[0]}://127.0.0.1:0`, `${schemes[1]}://127.0.0.2:0`];
  const config = path.join(dir, 'freshet.conf');
  writeFileSync(config, text(...addresses));
  const server = await serve(t, ['--config', config, ...args], { listen: addresses.join(','), ...options });
  await server.output(/listening on \S+127\.0\.0\.1:\d+\nlistening on \S+127\.0\.0\.2:\d+\n/);
  const [, first, second] = server.stdout.match(/listening on (\S+)\nlistening on (\S+)\n/);
  return [server, ...[first, second].map((url) => {
    const { hostname: host, port } = new URL(url);
    return { url, host, port: Number(port) };
  })];
}

// Connects; resolves with the socket, or with the error that the handshake ended with. TLS 1.3 tells some only after it.
async function shake(t, place, options = {}) {
  const socket = tls.connect({ port: place.port, host: place.host, servername: 'localhost', rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  return within(new Promise((resolve) => {
    socket.on('error', resolve);
    socket.on('end', () => resolve(new Error('closed')));
    socket.on('secureConnect', () => socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'));
    socket.once('data', () => resolve(socket));
  }), 'the end of a handshake');
}

const isRefused = (result) => result instanceof Error;
const commonName = (socket) => socket.getPeerCertificate().subject?.CN;
const identity = (pair) => ({ cert: pair.pem, key: readFileSync(pair.key) });
const pairLines = (pair) => `tls-cert = ${pair.cert}\ntls-key = ${pair.key}\n`;

test('each address shows its own certificate, and speaks its own versions', async (t) => {
  const dir = folder(t);
  const [all, own, other] = ['all.test', 'own.test', 'other.test'].map((name) => certificate(dir, name, { names: [name] }));
  const [server, first, second] = await serveTwo(t, dir, (_, address) =>
    `${pairLines(all)}[listen "${address}"]\n${pairLines(own)}tls-cert = ${other.cert}\ntls-key = ${other.key}\ntls-min-version = 1.3\n`);
  assert.equal(commonName(await shake(t, first)), 'all.test');
  assert.equal(commonName(await shake(t, second)), 'own.test');
  assert.equal(commonName(await shake(t, second, { servername: 'other.test' })), 'other.test');
  assert.equal(commonName(await shake(t, second, { servername: 'all.test' })), 'own.test', 'none of the others counts there');
  assert.equal((await shake(t, first, { maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2');
  assert.ok(isRefused(await shake(t, second, { maxVersion: 'TLSv1.2' })));

  const secure = { rejectUnauthorized: false, servername: 'localhost' };
  const stream = await subscribe(t, { ...second, secure }, '/events/a');
  await publish(t, { ...first, secure }, 'a', 'over there');
  assert.equal((await stream.next()).data, 'over there');
  assert.equal(server.status, undefined);
});

// What comes to each address: without a certificate, with one of the authority, with one of a stranger.
for (const [what, lines, expected] of [
  ['required on one', (ca) => ['', `tls-client-ca = ${ca}\n`], ['yes yes yes', 'no yes no']],
  ['required on all but one', (ca) => [`tls-client-ca = ${ca}\n`, 'tls-client-auth = none\n'], ['no yes no', 'yes yes yes']],
  ['optional on one', (ca) => [`tls-client-ca = ${ca}\n`, 'tls-client-auth = optional\n'], ['no yes no', 'yes yes no']],
  ['required on one by its own words', (ca) => [`tls-client-ca = ${ca}\ntls-client-auth = none\n`, 'tls-client-auth = required\n'],
    ['yes yes yes', 'no yes no']],
]) {
  test(`a client's certificate is ${what}`, async (t) => {
    const dir = folder(t);
    const authority = certificate(dir, 'authority', { names: ['authority'] });
    const client = certificate(dir, 'client', { names: ['client'], ca: authority });
    const stranger = certificate(dir, 'stranger', { names: ['stranger'] });
    const [forAll, forSecond] = lines(authority.cert);
    const [, ...places] = await serveTwo(t, dir, (_, address) =>
      `${pairLines(certificate(dir, 'server'))}${forAll}[listen "${address}"]\n${forSecond}`);
    const found = [];
    for (const place of places) {
      const answers = [];
      for (const options of [{}, identity(client), identity(stranger)]) {
        answers.push(isRefused(await shake(t, place, options)) ? 'no' : 'yes');
      }
      found.push(answers.join(' '));
    }
    assert.deepEqual(found, expected);
  });
}

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`a session of one address is worth nothing at another that asks for more, with ${version}`, async (t) => {
    const dir = folder(t);
    const authority = certificate(dir, 'authority', { names: ['authority'] });
    const pair = certificate(dir, 'server');
    const [server, open, closed] = await serveTwo(t, dir, (_, address) =>
      `${pairLines(pair)}tls-client-ca = ${authority.cert}\ntls-client-auth = optional\n[listen "${address}"]\ntls-client-auth = required\n`);
    const options = { minVersion: version, maxVersion: version };
    const socket = tls.connect({ ...open, servername: 'localhost', rejectUnauthorized: false, ...options });
    t.after(() => socket.destroy());
    const ticket = once(socket, 'session');
    socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    await within(once(socket, 'data'), 'an answer');
    const [session] = await within(ticket, 'a ticket');
    assert.ok((await shake(t, open, { ...options, session })).isSessionReused());
    assert.ok(isRefused(await shake(t, closed, { ...options, session })));
    const secure = { rejectUnauthorized: false, servername: 'localhost' };
    assert.equal(await metric(t, { ...open, secure }, 'freshet_tls_handshakes_total', 'result="resumed"'), 1);
    assert.equal(server.status, undefined);
  });
}

test('HTTP/2 is off at one address and on at the other', async (t) => {
  const dir = folder(t);
  const [, without, having] = await serveTwo(t, dir, (address) =>
    `${pairLines(certificate(dir, 'server'))}[listen "${address}"]\nhttp2 = off\n`);
  const ALPNProtocols = ['h2', 'http/1.1'];
  assert.equal((await shake(t, without, { ALPNProtocols })).alpnProtocol, 'http/1.1');
  assert.match((await shake(t, without, { ALPNProtocols: ['h2'] })).message, /no.application.protocol/i);
  const session = await connectH2(t, having, { rejectUnauthorized: false, servername: 'localhost' });
  assert.equal((await requestH2(session, { path: '/healthz' })).status, 200);
});

test('HTTP/2 is off in plain text too, for who begins with it', async (t) => {
  const dir = folder(t);
  const [, without, having] = await serveTwo(t, dir, (address) => `[listen "${address}"]\nhttp2 = off\n`,
    { schemes: ['http', 'http'], args: ['--http2'] });
  const refused = await connect(t, without);
  refused.send(preface);
  assert.equal((await refused.readHead()).status, 505);
  await refused.waitClosed();
  assert.equal((await requestH2(await connectH2(t, having), { path: '/healthz' })).status, 200);
  assert.equal((await request(t, without, { path: '/healthz' })).status, 200);
});

test('--no-http2 holds for every address but one that says otherwise', async (t) => {
  const dir = folder(t);
  const [, without, having] = await serveTwo(t, dir, (_, address) => `[listen "${address}"]\nhttp2 = on\n`,
    { schemes: ['http', 'http'], args: ['--no-http2'] });
  const refused = await connect(t, without);
  refused.send(preface);
  assert.equal((await refused.readHead()).status, 505);
  assert.equal((await requestH2(await connectH2(t, having), { path: '/healthz' })).status, 200);
});

for (const way of ['SIGHUP', 'the files change']) {
  test(`a reload covers every address, all or nothing: ${way}`, async (t) => {
    const dir = folder(t);
    const name = (which) => certificate(dir, which, { names: [`${which}.test`] });
    const [one, two, newOne, newTwo] = ['one', 'two', 'new-one', 'new-two'].map(name);
    const [server, first, second] = await serveTwo(t, dir, (_, address) =>
      `${pairLines(one)}[listen "${address}"]\n${pairLines(two)}`);
    const shown = async () => [commonName(await shake(t, first)), commonName(await shake(t, second))];
    assert.deepEqual(await shown(), ['one.test', 'two.test']);
    const reload = () => way === 'SIGHUP' && server.kill('SIGHUP');

    replace(one, newOne);
    writeFileSync(two.cert, 'nothing\n');
    reload();
    await server.says(/those before go on: \[listen "https:\/\/127\.0\.0\.2:0"\]: .*two\.pem is no certificate/);
    assert.deepEqual(await shown(), ['one.test', 'two.test'], 'not even the one that could be used');
    replace(two, newTwo);
    reload();
    await server.says(/certificates loaded/);
    assert.deepEqual(await shown(), ['new-one.test', 'new-two.test']);
  });
}

test('one address has a certificate and the others have none', async (t) => {
  const dir = folder(t);
  const pair = certificate(dir, 'server');
  const config = path.join(dir, 'freshet.conf');
  writeFileSync(config, `[listen "127.0.0.2:0"]\n${pairLines(pair)}`);
  const server = await serve(t, ['--config', config], { listen: '127.0.0.1:0,127.0.0.2:0' });
  await server.output(/^listening on http:\/\/127\.0\.0\.1:\d+$/m);
  const [, port] = await server.output(/^listening on https:\/\/127\.0\.0\.2:(\d+)$/m);
  assert.equal(commonName(await shake(t, { host: '127.0.0.2', port })), 'localhost');
  server.kill('SIGHUP');
  await server.says(/certificates loaded/);
});

test('sections that cannot be used are refused with a sentence', async (t) => {
  const dir = folder(t);
  const pair = certificate(dir, 'server');
  const other = certificate(dir, 'other');
  const config = path.join(dir, 'freshet.conf');
  const at = '[listen "https://127.0.0.2:0"]\n';
  const cases = [
    [`${at}${pairLines(pair)}`, 0, /settings are fine/],
    [`[listen "127.0.0.2:0"]\n${pairLines(pair)}`, 0, /settings are fine/],
    [`[listen localhost:0]\nhttp2 = off\n${at}${pairLines(pair)}`, 0, /settings are fine/],
    [`[listen "https://127.0.0.3:0"]\n`, 2, /\[listen "https:\/\/127\.0\.0\.3:0"\]: nothing listens there: name the address/],
    [`[listen "somewhere"]\n`, 2, /conf:1: \[listen "somewhere"\]: /],
    [`[listen "127.0.0.2:0;proxy"]\n`, 2, /without what stands behind its semicolon/],
    [`${at}${pairLines(pair)}[listen "127.0.0.2:0"]\n`, 2, /are the same address/],
    [`${at}${at}`, 2, /there is this section already/],
    [`${at}history-count = 1\n`, 2, /cannot be set in a section \[listen\]; tls-cert, tls-key, .* and http2 can/],
    [`${at}tls-key = ${pair.key}\n`, 2, /\[listen "https:\/\/127\.0\.0\.2:0"\]: tls-key without tls-cert/],
    [`${at}tls-cert = ${pair.cert}\ntls-key = ${other.key}\n`, 2, /\[listen "https:\S+\]: the key in .* does not belong/],
    [`${at}tls-cert = ${dir}/none.pem\n`, 1, /\[listen "https:\S+\]: cannot read the certificate .*none\.pem/],
    [`${at}${pairLines(pair)}tls-client-ca = ${pair.key}\n`, 2, /\[listen "https:\S+\]: .*holds no certificates of authorities/],
    [`${at}${pairLines(pair)}tls-client-auth = required\n`, 2, /asks the clients of https:\S+ for certificates, but .* --tls-client-ca/],
    [`${at}${pairLines(pair)}tls-client-auth = optional\n`, 2, /asks the clients/],
    [`${at}${pairLines(pair)}tls-min-version = 1.1\n`, 2, /tls-min-version must be 1\.2 or 1\.3/],
    [`${at}http2 = off\n`, 2, /says https:\/\/, but there is no certificate/],
    [`${at}${pairLines(pair)}[listen "http://127.0.0.1:0"]\n${pairLines(pair)}`, 2, /is about TLS, but the address is to speak plain text/],
    [`${at}${pairLines(pair)}[listen "https://127.0.0.1:0"]\n`, 2, /is about TLS, but the address is to speak plain text/],
    [`${at}${pairLines(pair)}[listen "http://127.0.0.1:0"]\ntls-client-auth = required\n`, 2, /is about TLS/],
    [`${at}${pairLines(pair)}[listen "http://127.0.0.1:0"]\ntls-min-version = 1.3\n`, 2, /is about TLS/],
    [`tls-min-version = 1.3\n${at}${pairLines(pair)}[listen "http://127.0.0.1:0"]\nhttp2 = off\n`, 0, /settings are fine/],
    [`[listen "http://127.0.0.2:0"]\n${pairLines(pair)}`, 2, /says http:\/\/, but the address speaks TLS/],
  ];
  for (const [text, status, pattern] of cases) {
    writeFileSync(config, text);
    const args = ['--config', config, '--listen', 'http://127.0.0.1:0', '--listen', 'https://127.0.0.2:0'];
    const result = await run(t, ['serve', '--check', ...args]);
    assert.match(result.stdout + result.stderr, pattern, text);
    assert.equal(result.status, status, text);
    if (status) {
      const started = await run(t, ['serve', ...args]);
      assert.equal(started.status, status, text);
      assert.match(started.stderr, pattern);
    }
  }
});
