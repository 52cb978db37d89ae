// Where freshet listens, and whom it takes its peers for: several addresses, IPv6, Unix sockets, sockets that a service
// manager hands over, the PROXY protocol, and the headers of proxies. What a test needs and the machine has not is
// skipped by its name.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  apiConnections, binary, certificate, connect, getJson, limitHits, metric, publish, request, root, run, serve, start,
  subscribe, subscribeHead, test, tlsServer, until, untilSubscribers,
} from './harness/index.mjs';
import { connectH2, subscribeH2 } from './harness/h2.mjs';
import { findProgram, missingProxy, proxies, startProxy } from './harness/proxies.mjs';

const missing = (program) => (findProgram(program) ? false : `${program} is not installed`);
const hasV6 = Object.values(networkInterfaces()).flat().some((at) => at.address === '::1');
const linux = process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8';

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'freshet-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

// The addresses after the first, as the server printed them: { port, host, path } for connect.
async function others(server, count) {
  const lines = new RegExp(`(?:^listening on .*\\n){${count + 1}}`, 'm');
  const [text] = await server.output(lines);
  return text.trim().split('\n').slice(1).map((line) => {
    const url = line.replace('listening on ', '');
    if (url.startsWith('unix:')) {
      return { path: url.slice('unix:'.length) };
    }
    const { hostname, port } = new URL(url);
    return { host: hostname.replace(/[[\]]/g, ''), port: Number(port) };
  });
}

// Subscribes with whatever is to be said before and in the request, from a raw socket; returns the socket.
async function listen(t, at, { before = '', headers = {}, path = '/events/a', options } = {}) {
  const socket = await connect(t, at, options);
  socket.send(Buffer.concat([Buffer.from(before, 'latin1'), Buffer.from(subscribeHead({ port: 1 }, path, { headers }))]));
  assert.equal((await socket.readHead()).status, 200);
  return socket;
}

// Who the only listener is, as /api/connections has it.
async function onlyPeer(t, server) {
  const connections = await apiConnections(t, server);
  assert.equal(connections.length, 1, JSON.stringify(connections));
  return connections[0].peer;
}

async function refused(t, args, pattern, options) {
  const { status, stderr } = await run(t, ['serve', ...args], options);
  assert.notEqual(status, 0, 'it was refused');
  assert.match(stderr, pattern);
  return status;
}

// --- several addresses ---

test('several addresses are one server', async (t) => {
  const path = join(folder(t), 's');
  const server = await serve(t, ['--listen', '127.0.0.1:0', '--listen', `http://localhost:0,unix:${path}`, '--workers', '2']);
  const all = [server, ...(await others(server, 3))];
  assert.equal(new Set(all.map(({ port, path: file }) => port ?? file)).size, 4);
  const streams = await Promise.all(all.map((at) => subscribe(t, at, '/events/a')));
  for (const at of all) {
    await publish(t, at, 'a', 'x');
  }
  const seen = await Promise.all(streams.map((stream) => stream.take(4)));
  for (const events of seen) {
    assert.deepEqual(events, seen[0]);
  }
});

test('what is wrong with an address is said, and what to write', async (t) => {
  assert.equal(await refused(t, ['--listen', 'example.com:80'], /example\.com:80: write an address as 127\.0\.0\.1:8042/), 2);
  assert.equal(await refused(t, ['--listen', 'unix:s.sock'], /whole path/), 2);
  assert.equal(await refused(t, ['--listen', 'unix:/tmp/s;mode=rw'], /mode=0660/), 2);
  assert.equal(await refused(t, ['--listen', 'unix:/nonexistent/s'], /No such file/), 1);
  assert.equal(await refused(t, ['--listen', 'unix:/tmp/s;owner=no-such-user'], /no user/), 2);
  assert.equal(await refused(t, ['--listen', '127.0.0.1:0;proxy'], /--trusted-proxies/), 2);
  assert.equal(await refused(t, ['--check', '--trusted-proxies', '10.0.0.1/8'], /bits beyond/), 2);
  assert.equal(await refused(t, ['--check', '--listen', '[::]:0'], /--insecure/), 2);
  assert.equal(await refused(t, ['--check', '--listen', 'unix:/tmp/s;proxy'], /--trusted-proxies/), 2);
});

test('seventeen addresses are too many', async (t) => {
  await refused(t, Array(17).fill(['--listen', '127.0.0.1:0']).flat(), /from 1 to 16/);
});

test('IPv6', { skip: hasV6 ? false : 'there is no ::1 here' }, async (t) => {
  const server = await serve(t, ['--listen', '[::1]:0']);
  const [six] = await others(server, 1);
  const socket = await listen(t, six);
  assert.equal(await onlyPeer(t, server), `[::1]:${socket.socket.localPort}`);
  await publish(t, six, 'a', 'x');
  await socket.readUntil('data: x\n\n');
});

// --- Unix sockets ---

test('a Unix socket: its mode, its peers, its end', async (t) => {
  const path = join(folder(t), 's');
  const server = await serve(t, ['--listen', `unix:${path};mode=0660`]);
  const [at] = await others(server, 1);
  assert.deepEqual(at, { path });
  assert.equal(lstatSync(path).mode & 0o7777, 0o660);
  const socket = await listen(t, at);
  assert.equal(await onlyPeer(t, server), 'unix');
  await publish(t, at, 'a', 'x');
  await socket.readUntil('data: x\n\n');
  await server.stop();
  assert.equal(existsSync(path), false, 'the file is gone');
});

test('a Unix socket with another owner', { skip: process.getuid() === 0 ? false : 'only root gives files away' }, async (t) => {
  const path = join(folder(t), 's');
  const server = await serve(t, ['--listen', `unix:${path};mode=0600;owner=123:456`]);
  await others(server, 1);
  const { uid, gid, mode } = lstatSync(path);
  assert.deepEqual([uid, gid, mode & 0o7777], [123, 456, 0o600]);
});

test('a Unix socket that a crash left behind is taken over', async (t) => {
  const path = join(folder(t), 's');
  const crashing = start(t, ['serve', '--listen', `unix:${path}`]);
  await crashing.output(/^listening on unix:/m);
  crashing.kill('SIGKILL');
  await crashing.exit();
  assert.ok(existsSync(path));
  const server = await serve(t, ['--listen', `unix:${path}`]);
  assert.equal((await listen(t, (await others(server, 1))[0])).closed, false);
});

test('a Unix socket in use, and a file that is none, are left alone', async (t) => {
  const path = join(folder(t), 's');
  const server = await serve(t, ['--listen', `unix:${path}`]);
  const [at] = await others(server, 1);
  assert.equal(await refused(t, ['--listen', `unix:${path}`], /another program listens there/), 1);
  await listen(t, at);
  const file = `${path}.txt`;
  writeFileSync(file, 'dear diary');
  assert.equal(await refused(t, ['--listen', `unix:${file}`], /is no socket/), 1);
  assert.equal(readFileSync(file, 'utf8'), 'dear diary');
});

test('a server that ends does not take the socket of the next', async (t) => {
  const path = join(folder(t), 's');
  const first = await serve(t, ['--listen', `unix:${path}`, '--drain', '1h']);
  const [at] = await others(first, 1);
  const stream = await listen(t, at);
  first.kill();
  await until(() => !existsSync(path), 'the first has given up its address');
  const second = await serve(t, ['--listen', `unix:${path}`]);
  await others(second, 1);
  first.kill(); // at once
  assert.equal(await first.ending(), 0);
  await stream.waitClosed();
  await listen(t, at);
  assert.equal(await onlyPeer(t, second), 'unix');
});

test('a Unix socket with many workers and many peers', async (t) => {
  const path = join(folder(t), 's');
  const server = await serve(t, ['--listen', `unix:${path}`, '--workers', '4']);
  const [at] = await others(server, 1);
  const streams = await Promise.all(Array.from({ length: 200 }, () => subscribe(t, at, '/events/a')));
  await untilSubscribers(t, server, 200);
  const id = await publish(t, at, 'a', 'x');
  for (const stream of streams) {
    assert.equal((await stream.next()).id, id);
  }
  await until(async () => {
    await subscribe(t, at, '/events/b');
    return new Set((await apiConnections(t, server)).map(({ worker }) => worker)).size > 1;
  }, 'several workers have accepted some');
});

test('curl over a Unix socket', { skip: missing('curl') }, async (t) => {
  const path = join(folder(t), 's');
  const server = await serve(t, ['--listen', `unix:${path}`]);
  await others(server, 1);
  const { stdout } = await promisify(execFile)('curl', ['-sS', '--unix-socket', path, '-d', 'hello', 'http://h/events/a']);
  assert.match(stdout, /^\{"id":"\d+-\d+"\}$/);
});

// --- sockets that are handed over ---

// A listening socket as a service manager would have it; its descriptor, and where it is.
async function managed(t, host = '127.0.0.1') {
  const listener = net.createServer();
  t.after(() => listener.close());
  await new Promise((resolve) => listener.listen(0, host, resolve));
  return { fd: listener._handle.fd, at: { port: listener.address().port, host: '127.0.0.1' }, letGo: () => listener.close() };
}

test('sockets that are handed over', async (t) => {
  const [one, two] = [await managed(t), await managed(t)];
  const server = await serve(t, ['--workers', '2'], { listen: 'systemd', handOver: [one.fd, two.fd] });
  one.letGo();
  two.letGo();
  assert.equal(server.port, one.at.port);
  assert.deepEqual(await others(server, 1), [two.at]);
  const streams = await Promise.all([one.at, two.at, one.at].map((at) => subscribe(t, at, '/events/a')));
  const id = await publish(t, two.at, 'a', 'x');
  for (const stream of streams) {
    assert.equal((await stream.next()).id, id);
  }
});

test('sockets by their names, each as it is meant', async (t) => {
  const [one, two, three] = [await managed(t), await managed(t), await managed(t)];
  const server = await serve(t, ['--listen', 'systemd:behind;proxy', '--trusted-proxies', '127.0.0.1'], {
    listen: 'systemd:front', handOver: [one.fd, two.fd, three.fd], env: { LISTEN_FDNAMES: 'behind:front:other' },
  });
  [one, two, three].forEach((each) => each.letGo());
  assert.equal(server.port, two.at.port);
  assert.deepEqual(await others(server, 1), [one.at]);
  await listen(t, one.at, { before: 'PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n' });
  assert.equal(await onlyPeer(t, server), '192.0.2.1:4711');
  await server.says(/nobody listens on socket 3 .*systemd:other/);
});

test('what was handed over is looked at', async (t) => {
  const open = await managed(t, '0.0.0.0');
  assert.equal(await refused(t, ['--listen', 'systemd'], /others could reach it/, { handOver: [open.fd] }), 2);
  assert.equal(await refused(t, ['--listen', 'systemd'], /ListenStream=/, { handOver: ['pipe'] }), 2);
  assert.equal(await refused(t, ['--listen', 'systemd'], /handed over no socket/), 2);
  assert.equal(await refused(t, ['--listen', 'systemd:web'], /handed over no socket/, { handOver: [open.fd] }), 2);
  // For somebody else: the environment of a parent that was started this way.
  assert.equal(await refused(t, ['--listen', 'systemd'], /handed over no socket/, { env: { LISTEN_PID: '1', LISTEN_FDS: '1' } }), 2);
  assert.equal((await run(t, ['serve', '--check', '--listen', 'systemd'])).status, 0, 'a fine setting');
});

test('systemd-socket-activate starts it with the first connection', { skip: missing('systemd-socket-activate') }, async (t) => {
  const path = join(folder(t), 's');
  const server = start(t, ['serve', '--listen', 'systemd:web', '--drain', '10ms'], {
    through: ['systemd-socket-activate', '-l', path, '--fdname=web'],
  });
  await until(() => existsSync(path), 'the manager listens');
  const socket = await listen(t, { path });
  await server.output(new RegExp(`^listening on unix:${path}$`, 'm'));
  await publish(t, { path }, 'a', 'x');
  await socket.readUntil('data: x\n\n');
  server.kill();
  assert.equal(await server.exit(), 0);
  assert.ok(existsSync(path), 'the file is the manager\'s');
});

// What a service manager hears: Node has no datagrams on Unix sockets, and Meson brings Python.
async function manager(t, address) {
  const program = 'import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1].replace("@","\\0"))\n' +
    'print("up",flush=True)\nwhile True: print(s.recv(999).decode(),flush=True)';
  const child = spawn(findProgram('python3'), ['-c', program, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const heard = { text: '' };
  child.stdout.on('data', (text) => { heard.text += text; });
  await until(() => heard.text.includes('up\n'), 'the manager is up');
  return heard;
}

for (const kind of ['a path', 'an abstract name']) {
  test(`it tells the service manager when it is ready and when it stops: ${kind}`, { skip: missing('python3') }, async (t) => {
    const address = kind === 'a path' ? join(folder(t), 'notify') : `@freshet-${process.pid}-${Date.now()}`;
    const heard = await manager(t, address);
    const server = await serve(t, [], { env: { NOTIFY_SOCKET: address } });
    await until(() => heard.text.includes('READY=1\n'), 'it is ready');
    assert.equal((await getJson(t, server, '/api/connections')).total, 0);
    assert.doesNotMatch(heard.text, /STOPPING/);
    await server.stop();
    await until(() => heard.text.includes('STOPPING=1\n'), 'it stops');
  });
}

// What is said between two messages that begin with a word, and the moment it was said to be.
async function hearReload(heard, before) {
  const [, micros, after] = await until(() => heard.text.match(/RELOADING=1\nMONOTONIC_USEC=(\d+)\nREADY=1\n(STATUS=.*)\n/), 'it has reloaded');
  assert.ok(BigInt(micros) >= before && BigInt(micros) <= process.hrtime.bigint() / 1000n, 'by the clock of the manager');
  heard.text = '';
  return after;
}

test('it tells the service manager when it reloads, and that it is ready again', { skip: missing('python3') || linux }, async (t) => {
  const dir = folder(t);
  const heard = await manager(t, join(dir, 'notify'));
  const pair = certificate(dir, 'server');
  const [args, options] = tlsServer(pair);
  const server = await serve(t, args, { ...options, env: { NOTIFY_SOCKET: join(dir, 'notify') } });
  await until(() => heard.text.includes('READY=1\n'), 'it is ready');
  assert.doesNotMatch(heard.text, /RELOADING/);
  heard.text = '';
  for (const [text, status] of [[pair.pem, /^STATUS=serving$/], ['nothing', /^STATUS=serving; .*cannot be used/], [pair.pem, /^STATUS=serving$/]]) {
    const before = process.hrtime.bigint() / 1000n;
    writeFileSync(pair.cert, text);
    server.kill('SIGHUP');
    assert.match(await hearReload(heard, before), status);
  }
  assert.equal((await request(t, server, { path: '/healthz' })).status, 200);
});

test('a reload that a service manager asks for ends nothing, although there is nothing to read', { skip: missing('python3') || linux }, async (t) => {
  const at = join(folder(t), 'notify');
  const heard = await manager(t, at);
  const server = await serve(t, [], { env: { NOTIFY_SOCKET: at } });
  const before = process.hrtime.bigint() / 1000n;
  server.kill('SIGHUP');
  assert.match(await hearReload(heard, before), /^STATUS=serving$/);
  await publish(t, server, 'a', 'x');
});

test('a service manager that is gone is no reason to stop', async (t) => {
  const server = await serve(t, [], { env: { NOTIFY_SOCKET: '/nonexistent/notify' } });
  await server.says(/NOTIFY_SOCKET/);
  await publish(t, server, 'a', 'x');
});

test('the units of packaging/systemd say what freshet understands', async (t) => {
  const service = readFileSync(join(root, 'packaging/systemd/freshet.service'), 'utf8');
  const socket = readFileSync(join(root, 'packaging/systemd/freshet.socket'), 'utf8');
  const [, program, words] = service.match(/^ExecStart=(\S+) (.*)$/m);
  assert.equal(program, '/usr/local/bin/freshet');
  const { status, stderr } = await run(t, [...words.split(' '), '--check']);
  assert.equal(status, 0, stderr);
  assert.match(service, /^Type=notify\nType=notify-reload$/m, 'the second counts where systemd knows it');
  assert.match(words, /--listen systemd$/);
  assert.match(socket, /^Accept=no$/m);
});

test('systemd takes the units', { skip: missing('systemd-analyze') }, async (t) => {
  const at = folder(t);
  for (const name of ['freshet.service', 'freshet.socket']) {
    const text = readFileSync(join(root, 'packaging/systemd', name), 'utf8');
    writeFileSync(join(at, name), text.replace('/usr/local/bin/freshet', binary));
  }
  const { code = 0, stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no',
    join(at, 'freshet.socket'), join(at, 'freshet.service')]).catch((error) => error);
  // Before version 253 this line is passed over, which is why there is another before it.
  const passedOver = /freshet\.service:\d+: Failed to parse service type, ignoring: notify-reload\n/;
  assert.doesNotMatch(stderr.replace(passedOver, ''), /freshet\.(service|socket)/);
  assert.equal(code, passedOver.test(stderr) ? 1 : 0, stderr);
});

// --- the PROXY protocol ---

const signature = '\r\n\r\n\0\r\nQUIT\n';

// Version 2, as a string of bytes.
function v2(command, kind, block = '') {
  const length = String.fromCharCode(block.length >> 8, block.length & 255);
  return signature + String.fromCharCode(command, kind) + length + block;
}

const tcp4 = '\xc0\x00\x02\x01\xc6\x33\x64\x01\x12\x67\x01\xbb'; // 192.0.2.1:4711
const tcp6 = `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01\x20\x01\x0d\xb8${'\0'.repeat(11)}\x02\x12\x67\x01\xbb`;

async function serveBehind(t, args = [], trusted = '127.0.0.1') {
  const server = await serve(t, ['--listen', '127.0.0.1:0;proxy', '--trusted-proxies', trusted, ...args]);
  const [behind] = await others(server, 1);
  return { server, behind };
}

const headers = {
  'version 1, IPv4': ['PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n', '192.0.2.1:4711'],
  'version 1, IPv6': ['PROXY TCP6 2001:db8::1 2001:db8::2 4711 443\r\n', '[2001:db8::1]:4711'],
  'version 1, unknown': ['PROXY UNKNOWN\r\n', 'own'],
  'version 2, IPv4': [v2(0x21, 0x11, tcp4), '192.0.2.1:4711'],
  'version 2, IPv6': [v2(0x21, 0x21, tcp6), '[2001:db8::1]:4711'],
  'version 2, with TLVs': [v2(0x21, 0x11, `${tcp4}\x01\0\x02h2\x04\x01\0${'x'.repeat(256)}`), '192.0.2.1:4711'],
  'version 2, local': [v2(0x20, 0x00), 'own'],
  'version 2, unspecified': [v2(0x21, 0x00, 'whatever'), 'own'],
  'version 2, a Unix socket': [v2(0x21, 0x31, '\0'.repeat(216)), 'own'],
};

for (const [name, [before, peer]] of Object.entries(headers)) {
  test(`PROXY: ${name}`, async (t) => {
    const { server, behind } = await serveBehind(t);
    // With the request behind it in the same packet, and byte by byte.
    const whole = await listen(t, behind, { before });
    assert.equal(await onlyPeer(t, server), peer === 'own' ? `127.0.0.1:${whole.socket.localPort}` : peer);
    whole.close();
    await untilSubscribers(t, server, 0);
    const slowly = await connect(t, behind);
    for (const byte of before.slice(0, 300)) {
      await slowly.send(Buffer.from(byte, 'latin1'));
    }
    slowly.send(Buffer.from(before.slice(300), 'latin1'));
    slowly.send(subscribeHead(server, '/events/a'));
    assert.equal((await slowly.readHead()).status, 200);
    assert.equal(await onlyPeer(t, server), peer === 'own' ? `127.0.0.1:${slowly.socket.localPort}` : peer);
    assert.equal(await metric(t, server, 'freshet_proxy_headers_refused_total'), 0);
  });
}

const badHeaders = {
  'a request without one': 'GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n',
  'a TLS handshake': '\x16\x03\x01\x02\x00\x01',
  'an address that is none': 'PROXY TCP4 192.0.2.300 192.0.2.1 1 2\r\n',
  'a line that does not end': `PROXY UNKNOWN ${'x'.repeat(200)}`,
  'an unknown command': v2(0x22, 0x11, tcp4),
  'addresses cut off': v2(0x21, 0x11, tcp4.slice(1)),
  'a TLV cut off': v2(0x21, 0x11, `${tcp4}\x04\xff\xff`),
  'one that is too long': `${signature}\x21\x11\xff\xff${tcp4}`,
  'two of them': 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nPROXY TCP4 192.0.2.3 192.0.2.2 1 2\r\n',
};

for (const [name, bytes] of Object.entries(badHeaders)) {
  test(`PROXY: ${name} is refused`, async (t) => {
    const { server, behind } = await serveBehind(t);
    const socket = await connect(t, behind);
    socket.send(Buffer.from(bytes, 'latin1'));
    const answer = await socket.readToEnd();
    if (name === 'two of them') {
      assert.match(answer, /^HTTP\/1\.1 400 /, 'the second is a bad request');
      return;
    }
    assert.equal(answer, '', 'nothing is answered');
    assert.equal(await metric(t, server, 'freshet_proxy_headers_refused_total'), 1);
    await until(async () => (await metric(t, server, 'freshet_connections')) === 1, 'only the one that asks is left');
  });
}

test('PROXY: a stranger is closed, whatever it says', async (t) => {
  const { server, behind } = await serveBehind(t, [], '192.0.2.0/24,unix,::/0');
  for (const before of ['PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', v2(0x20, 0), '']) {
    const socket = await connect(t, behind);
    socket.send(Buffer.from(`${before}GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n`, 'latin1'));
    await socket.waitClosed().catch((error) => assert.match(error.message, /ECONNRESET/));
    assert.equal(socket.size, 0, 'nothing is answered');
  }
  assert.equal(await metric(t, server, 'freshet_proxy_headers_refused_total'), 3);
});

test('PROXY: where it is not expected it is a bad request', async (t) => {
  const server = await serve(t, ['--trusted-proxies', '127.0.0.1']);
  const socket = await connect(t, server);
  socket.send('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /healthz HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal((await socket.readResponse()).status, 400);
});

test('PROXY: a header that does not come in time', async (t) => {
  const { server, behind } = await serveBehind(t, ['--header-timeout', '200ms']);
  const [silent, half] = [await connect(t, behind), await connect(t, behind)];
  half.send('PROXY TCP4 192.0');
  await silent.waitClosed();
  await half.waitClosed();
  assert.equal(await limitHits(t, server, 'header-timeout'), 2);
});

test('PROXY: who goes before the header is whole leaves nothing behind', async (t) => {
  const { server, behind } = await serveBehind(t);
  for (let i = 0; i < 20; i++) {
    const socket = await connect(t, behind);
    await socket.send('PROXY TCP4 192.0');
    i % 2 ? socket.reset() : socket.close();
  }
  await until(async () => (await metric(t, server, 'freshet_connections')) === 1, 'they are gone');
  assert.equal(await metric(t, server, 'freshet_proxy_headers_refused_total'), 0);
});

test('PROXY: the end does not wait for headers', async (t) => {
  const { server, behind } = await serveBehind(t, ['--header-timeout', '1h', '--drain', '1h']);
  const socket = await connect(t, behind);
  await socket.send('PROXY TCP4 192.0');
  await until(async () => (await metric(t, server, 'freshet_connections')) === 2, 'it has arrived');
  server.kill();
  assert.equal(await server.ending(), 0);
  await socket.waitClosed();
});

test('PROXY over a Unix socket, from those who are trusted', async (t) => {
  const path = join(folder(t), 's');
  const server = await serve(t, ['--listen', `unix:${path};proxy`, '--trusted-proxies', 'unix']);
  const [at] = await others(server, 1);
  await listen(t, at, { before: 'PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n' });
  assert.equal(await onlyPeer(t, server), '192.0.2.1:4711');
});

const curlHasProxy = async () => /--haproxy-protocol/.test((await promisify(execFile)('curl', ['--help', 'all'])).stdout);

test('PROXY from curl', { skip: missing('curl') }, async (t) => {
  if (!(await curlHasProxy())) {
    t.skip('this curl has no --haproxy-protocol');
    return;
  }
  const { behind } = await serveBehind(t);
  const { stdout } = await promisify(execFile)('curl', ['-sS', '--haproxy-protocol', `http://127.0.0.1:${behind.port}/healthz`]);
  assert.equal(stdout, 'ok\n');
});

for (const word of ['send-proxy', 'send-proxy-v2']) {
  test(`PROXY from HAProxy: ${word}`, { skip: missingProxy('haproxy') }, async (t) => {
    const { server, behind } = await serveBehind(t, ['--forwarded-header', 'none']);
    const edit = (text) => text.replace(/(server freshet \S+)/, `$1 ${word}`);
    const proxy = await startProxy(t, 'haproxy', behind, { edit });
    const socket = await listen(t, proxy);
    assert.equal(await onlyPeer(t, server), `127.0.0.1:${socket.socket.localPort}`);
    assert.equal(await metric(t, server, 'freshet_proxy_headers_refused_total'), 0, 'its health checks too');
  });
}

// --- the headers of proxies ---

const x = (value) => ({ 'x-forwarded-for': value });

test('a trusted proxy says whose request it is', async (t) => {
  const server = await serve(t, ['--trusted-proxies', '127.0.0.1,10.0.0.0/8']);
  for (const [value, peer] of [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1:4711'],
    ['2001:db8::1', '2001:db8::1'],
    ['198.51.100.1, 192.0.2.1, 10.1.2.3', '192.0.2.1'],
    ['"<script>", 192.0.2.1', '192.0.2.1'],
  ]) {
    const socket = await listen(t, server, { headers: x(value) });
    assert.equal(await onlyPeer(t, server), peer, value);
    socket.close();
    await untilSubscribers(t, server, 0);
  }
  assert.equal(await metric(t, server, 'freshet_forwarded_ignored_total'), 0);
});

test('nobody else does', async (t) => {
  const claims = { ...x('192.0.2.1'), forwarded: 'for=192.0.2.1', 'x-real-ip': '192.0.2.1', 'client-ip': '192.0.2.1' };
  for (const args of [[], ['--trusted-proxies', '192.0.2.0/24,10.0.0.0/8,::/0,unix'], ['--forwarded-header', 'forwarded']]) {
    const server = await serve(t, args);
    const socket = await listen(t, server, { headers: claims });
    assert.equal(await onlyPeer(t, server), `127.0.0.1:${socket.socket.localPort}`);
  }
});

test('only the header that is named counts', async (t) => {
  const claims = { ...x('192.0.2.1'), forwarded: 'for="[2001:db8::1]:80"' };
  for (const [choice, peer] of [['x-forwarded-for', /^192\.0\.2\.1$/], ['forwarded', /^\[2001:db8::1\]:80$/], ['none', /^127\.0\.0\.1:/]]) {
    const server = await serve(t, ['--trusted-proxies', '127.0.0.1', '--forwarded-header', choice]);
    await listen(t, server, { headers: claims });
    assert.match(await onlyPeer(t, server), peer);
  }
});

test('what is malformed is not believed, and counted', async (t) => {
  const server = await serve(t, ['--trusted-proxies', '127.0.0.1']);
  const socket = await listen(t, server, { headers: x('192.0.2.1, nonsense') });
  assert.equal(await onlyPeer(t, server), `127.0.0.1:${socket.socket.localPort}`);
  assert.equal(await metric(t, server, 'freshet_forwarded_ignored_total'), 1);
});

test('each request on a connection has its own client', async (t) => {
  const server = await serve(t, ['--trusted-proxies', '127.0.0.1']);
  const socket = await connect(t, server);
  for (const client of ['192.0.2.1', '192.0.2.2']) {
    socket.send(`GET /events/a?wait=30 HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\nX-Forwarded-For: ${client}\r\n\r\n`);
    await untilSubscribers(t, server, 1);
    assert.equal(await onlyPeer(t, server), client);
    await publish(t, server, 'a', 'x');
    assert.equal((await socket.readResponse()).status, 200);
  }
  socket.send(`GET /events/a HTTP/1.1\r\nHost: h\r\n\r\n`);
  assert.equal((await socket.readHead()).status, 200);
  assert.equal(await onlyPeer(t, server), `127.0.0.1:${socket.socket.localPort}`);
});

// Whom each listener is, sorted.
const peers = async (t, server) => (await apiConnections(t, server)).map(({ peer }) => peer).sort();

test('each stream of an HTTP/2 connection has its own client, also behind PROXY', async (t) => {
  const { server, behind } = await serveBehind(t, [], '127.0.0.1,10.0.0.0/8');
  const direct = await connectH2(t, server);
  const stream = await subscribeH2(direct, '/events/a', x('192.0.2.1'));
  await subscribeH2(direct, '/events/a', x('192.0.2.2'));
  const createConnection = () => {
    const socket = net.connect(behind.port, '127.0.0.1');
    socket.write('PROXY TCP4 10.0.0.7 192.0.2.2 4711 80\r\n');
    return socket;
  };
  const proxied = await connectH2(t, server, { createConnection });
  await subscribeH2(proxied, '/events/a');
  await subscribeH2(proxied, '/events/a', x('192.0.2.3'));
  assert.deepEqual(await peers(t, server), ['10.0.0.7:4711', '192.0.2.1', '192.0.2.2', '192.0.2.3']);
  await publish(t, server, 'a', 'x');
  assert.equal((await stream.next()).data, 'x');
});

test('a client behind PROXY cannot claim more than the proxy says of it', async (t) => {
  const { server, behind } = await serveBehind(t, [], '127.0.0.1,10.0.0.0/8');
  const stranger = await listen(t, behind, { before: 'PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n', headers: x('203.0.113.9') });
  assert.equal(await onlyPeer(t, server), '192.0.2.1:4711');
  stranger.close();
  await untilSubscribers(t, server, 0);
  // One behind the other, both trusted.
  await listen(t, behind, { before: 'PROXY TCP4 10.0.0.7 192.0.2.2 4711 80\r\n', headers: x('203.0.113.9') });
  assert.equal(await onlyPeer(t, server), '203.0.113.9');
});

test('over a Unix socket, when those who come by it are trusted', async (t) => {
  const path = join(folder(t), 's');
  for (const [trusted, peer] of [['unix', '192.0.2.1'], ['127.0.0.1', 'unix']]) {
    const server = await serve(t, ['--listen', `unix:${path}`, '--trusted-proxies', trusted]);
    const [at] = await others(server, 1);
    await listen(t, at, { headers: x('192.0.2.1') });
    assert.equal(await onlyPeer(t, server), peer);
    await server.stop();
  }
});

for (const name of Object.keys(proxies)) {
  test(`${name} tells who its clients are, and a forged header changes nothing`, { skip: missingProxy(name) || linux }, async (t) => {
    const server = await serve(t, ['--trusted-proxies', '127.0.0.1']);
    const proxy = await startProxy(t, name, server);
    const forged = { ...x('198.51.100.66'), forwarded: 'for=198.51.100.66' };
    await listen(t, proxy, { headers: forged, options: { localAddress: '127.0.0.2' } });
    assert.equal(await onlyPeer(t, server), '127.0.0.2');
  });
}
