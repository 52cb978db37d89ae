// freshet doctor on the way that listeners of today come: TLS and HTTP/2, from the server itself and through proxies
// that end TLS; and certificates that browsers would refuse.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { certificate, folder, run, serve, test, tlsServer, withoutCompression } from './harness/index.mjs';
import { doctor } from './harness/doctor.mjs';
import { missingProxy, startProxy } from './harness/proxies.mjs';

const brief = ['--idle', '0'];

test('a server with TLS and HTTP/2, whose certificate is trusted, is all well', async (t) => {
  const pair = certificate(folder(t), 'server');
  const [args, options] = tlsServer(pair, '--heartbeat', '200ms');
  const server = await serve(t, args, options);
  const { status, result, findings, oks, get } = await doctor(t, server.url, '--cacert', pair.cert, '--idle', '1s');
  const checks = ['status', 'version', 'headers', 'delivery', 'compression', 'caching', 'resume', 'origin', 'idle'];
  assert.deepEqual(oks, checks.filter((check) => check !== 'compression' || !withoutCompression()), JSON.stringify(findings));
  assert.equal(findings.length, oks.length);
  assert.equal(get('version').text, 'HTTP/2.');
  assert.deepEqual([status, result], [0, 'ok']);
});

test('a server with TLS that speaks no HTTP/2 is warned of', async (t) => {
  const pair = certificate(folder(t), 'server');
  const [args, options] = tlsServer(pair, '--no-http2');
  const server = await serve(t, args, options);
  const { status, fails, warns, get } = await doctor(t, server.url, '--cacert', pair.cert, ...brief);
  assert.deepEqual([fails, warns, status], [[], ['version'], 0]);
  assert.match(get('version').text, /HTTP\/1\.1/);
});

test('--tls-self-signed, with the certificate that it says', async (t) => {
  const server = await serve(t, ['--tls-self-signed'], { env: { XDG_STATE_HOME: folder(t) } });
  const [, file] = await server.says(/curl --cacert (\S+),/);
  const { status, get } = await doctor(t, server.url.replace('127.0.0.1', 'localhost'), '--cacert', file, ...brief);
  assert.equal(get('version').text, 'HTTP/2.');
  assert.equal(status, 0);
});

test('a certificate that is not trusted has a finding of its own, and status 1', async (t) => {
  const dir = folder(t);
  const pair = certificate(dir, 'server');
  const server = await serve(t, ...tlsServer(pair));
  const elsewhere = certificate(dir, 'elsewhere', { names: ['elsewhere.test'] });
  const wrongName = await serve(t, ...tlsServer(elsewhere));
  for (const [url, ca, reason] of [
    [server.url, [], /self.signed/],
    [server.url, ['--cacert', elsewhere.cert], /self.signed|unable to get/],
    [wrongName.url.replace('127.0.0.1', 'localhost'), ['--cacert', elsewhere.cert], /localhost/],
  ]) {
    const { status, result, findings, get, fails } = await doctor(t, url, ...ca, ...brief);
    assert.deepEqual(fails, ['certificate'], JSON.stringify(findings));
    assert.equal(findings.length, 1, 'nothing else can be said');
    assert.match(get('certificate').text, /^The certificate is not trusted: /);
    assert.match(get('certificate').text, reason);
    assert.match(get('certificate').advice, /--cacert FILE/);
    assert.deepEqual([status, result], [1, 'fail']);
  }
  const { status, stdout } = await run(t, ['doctor', server.url, ...brief]);
  assert.match(stdout, /^FAIL +certificate +The certificate is not trusted: /m);
  assert.equal(status, 1);
});

test('a file of authorities that cannot be used has status 2', async (t) => {
  const dir = folder(t);
  const server = await serve(t, ...tlsServer(certificate(dir, 'server')));
  const missing = await run(t, ['doctor', server.url, '--cacert', path.join(dir, 'none.pem')]);
  assert.match(missing.stderr, /--cacert: cannot read .*none\.pem: No such file/);
  assert.equal(missing.status, 2);
  const empty = path.join(dir, 'empty.pem');
  writeFileSync(empty, 'nothing\n');
  const { status, fails, get } = await doctor(t, server.url, '--cacert', empty, ...brief);
  assert.deepEqual([status, fails], [2, ['reach']]);
  assert.match(get('reach').text, /certificate/i);
});

test('a server that asks for a certificate of the client cannot be tested', async (t) => {
  const dir = folder(t);
  const pair = certificate(dir, 'server');
  const [args, options] = tlsServer(pair, '--tls-client-ca', pair.cert);
  const server = await serve(t, args, options);
  const { status, fails, get } = await doctor(t, server.url, '--cacert', pair.cert, ...brief);
  assert.deepEqual([status, fails], [2, ['reach']]);
  // libcurl does not always get to read why; never is it a call that failed somewhere in the system.
  assert.doesNotMatch(get('reach').text, /getpeername/);
  assert.match(get('reach').advice, /wants a certificate of each client/);
});

test('publishing to a server whose certificate is not trusted is left out, and said', async (t) => {
  const dir = folder(t);
  const plain = await serve(t, ['--heartbeat', '100ms']);
  const secure = await serve(t, ...tlsServer(certificate(dir, 'server')));
  const { status, skips, get } = await doctor(t, plain.url, '--publish-url', secure.url, '--idle', '1s');
  assert.deepEqual([status, skips], [0, ['delivery']]);
  assert.match(get('delivery').text, /certificate/);
});

// The proxy's own file, with TLS at its door.
const tlsDoor = {
  nginx: (pair, h2) => (text) => text.replace(/listen (127\.0\.0\.1:\d+);/,
    `listen $1 ssl${h2 ? ' http2' : ''}; ssl_certificate ${pair.cert}; ssl_certificate_key ${pair.key};`),
  haproxy: (pair, h2) => (text) => text.replace(/bind (127\.0\.0\.1:\d+)/,
    `bind $1 ssl crt ${pair.cert} alpn ${h2 ? 'h2,http/1.1' : 'http/1.1'}`),
};

for (const name of ['nginx', 'haproxy']) {
  test(`${name} that ends TLS: with HTTP/2 it is well, without it is warned of`, { skip: missingProxy(name) }, async (t) => {
    const server = await serve(t, ['--heartbeat', '200ms']);
    const pair = certificate(folder(t), 'door');
    for (const h2 of [true, false]) {
      const proxy = await startProxy(t, name, server, { edit: tlsDoor[name](withKey(pair, name), h2) });
      const url = proxy.url.replace('http:', 'https:');
      const { status, fails, warns, findings, get } = await doctor(t, url, '--cacert', pair.cert, ...brief);
      assert.deepEqual([fails, warns], [[], h2 ? [] : ['version']], JSON.stringify(findings));
      assert.match(get('version').text, h2 ? /HTTP\/2/ : /HTTP\/1\.1/);
      assert.equal(status, 0);
      if (!h2 && name === 'nginx') {
        assert.match(get('version').advice, /nginx: listen 443 ssl http2/);
      }
      const distrusted = await doctor(t, url, ...brief);
      assert.deepEqual([distrusted.status, distrusted.fails], [1, ['certificate']]);
    }
  });
}

// HAProxy wants the key behind the certificate, in one file.
function withKey(pair, name) {
  if (name !== 'haproxy') {
    return pair;
  }
  const cert = `${pair.cert}.haproxy`;
  writeFileSync(cert, pair.pem + readFileSync(pair.key, 'utf8'), { mode: 0o600 });
  return { cert };
}
