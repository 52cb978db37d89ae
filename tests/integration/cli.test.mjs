// The command line: help, settings and where they come from, pub and sub.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect, publish, run, serve, start, subscribe, subscribeHead, test, until, untilSubscribers } from './harness/index.mjs';

// How pub and sub are told which server to talk to.
const at = (server) => ['--url', server.url];

function file(t, text) {
  const folder = mkdtempSync(path.join(tmpdir(), 'freshet-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const name = path.join(folder, 'freshet.conf');
  writeFileSync(name, text);
  return name;
}

// The retry of the preamble: a setting that shows.
async function retryOf(t, server) {
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a'));
  return Number((await socket.readUntil(/retry: \d+\n/)).match(/retry: (\d+)\n/)[1]);
}

test('--version', async (t) => {
  const { status, stdout } = await run(t, ['--version']);
  assert.equal(status, 0);
  assert.match(stdout, /^freshet \d+\.\d+\.\d+\n/);
  assert.match(stdout, /libuv/);
});

test('--help names every command, serve --help every setting', async (t) => {
  const { status, stdout } = await run(t, ['--help']);
  assert.equal(status, 0);
  for (const command of ['serve', 'pub', 'sub', 'doctor']) {
    assert.match(stdout, new RegExp(`\\b${command}\\b`));
  }
  const help = await run(t, ['serve', '--help']);
  assert.equal(help.status, 0);
  const settings = [
    'listen', 'workers', 'heartbeat', 'retry', 'max-age', 'greeting', 'history-count', 'history-topic-bytes',
    'history-bytes', 'history-age', 'window-bytes', 'max-body', 'max-head', 'max-headers', 'max-connections',
    'max-topics', 'max-wait', 'header-timeout', 'body-timeout', 'keepalive-timeout', 'cors-origin', 'drain', 'config',
    'log-level', 'log-format',
  ];
  for (const setting of settings) {
    assert.match(help.stdout, new RegExp(`--${setting}\\b`));
  }
});

test('without a command, or with an unknown one, it says what there is and fails', async (t) => {
  for (const args of [[], ['serv'], ['--nonsense']]) {
    const { status, stdout, stderr } = await run(t, args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /freshet/);
  }
  assert.match((await run(t, ['serv'])).stderr, /did you mean.*serve/);
});

test('an unknown setting is refused with a suggestion', async (t) => {
  const { status, stderr } = await run(t, ['serve', '--max-conections', '5']);
  assert.equal(status, 2);
  assert.match(stderr, /max-conections/);
  assert.match(stderr, /did you mean --max-connections/);
});

test('values that make no sense are refused, and say what would', async (t) => {
  const wrong = [
    ['--workers', 'many'], ['--workers', '-1'], ['--heartbeat', '15x'], ['--max-body', '1q'], ['--log-level', 'loud'],
    ['--log-format', 'xml'], ['--listen', 'nonsense'], ['--drain', ''], ['--history-count', '99999999999999999999'],
    ['--retry'],
  ];
  for (const [flag, value] of wrong) {
    const { status, stderr } = await run(t, ['serve', '--listen', '127.0.0.1:0', flag, ...(value === undefined ? [] : [value])]);
    assert.equal(status, 2, `${flag} ${value}: ${stderr}`);
    assert.match(stderr, new RegExp(flag.slice(2)));
  }
});

test('a config file, in both forms, with comments', async (t) => {
  const config = file(t, '# a comment\n\nretry 1500ms\nmax-connections = 100\n  heartbeat=10s  \n');
  const server = await serve(t, ['--config', config]);
  assert.equal(await retryOf(t, server), 1500);
});

test('mistakes in a config file are named with their line', async (t) => {
  for (const line of ['max-conections 5', 'workers many', 'retry']) {
    const { status, stderr } = await run(t, ['serve', '--config', file(t, `# first\n${line}\n`)]);
    assert.equal(status, 2);
    assert.match(stderr, /freshet\.conf:2/, line);
  }
});

test('a config file that is not there is an error', async (t) => {
  const { status, stderr } = await run(t, ['serve', '--config', '/nowhere/freshet.conf']);
  assert.notEqual(status, 0);
  assert.match(stderr, /\/nowhere\/freshet\.conf/);
});

test('the environment', async (t) => {
  const server = await serve(t, [], { env: { FRESHET_RETRY: '2500ms', FRESHET_MAX_CONNECTIONS: '50' } });
  assert.equal(await retryOf(t, server), 2500);
  const { status, stderr } = await run(t, ['serve'], { env: { FRESHET_MAX_CONNECTIONS: 'lots' } });
  assert.equal(status, 2);
  assert.match(stderr, /FRESHET_MAX_CONNECTIONS/);
});

test('flags win over the environment, the environment over the file', async (t) => {
  const config = file(t, 'retry 1s\n');
  assert.equal(await retryOf(t, await serve(t, ['--config', config])), 1000);
  assert.equal(await retryOf(t, await serve(t, ['--config', config], { env: { FRESHET_RETRY: '2s' } })), 2000);
  assert.equal(await retryOf(t, await serve(t, ['--config', config, '--retry', '3s'], { env: { FRESHET_RETRY: '2s' } })), 3000);
  assert.equal(await retryOf(t, await serve(t, [], { env: { FRESHET_CONFIG: config } })), 1000);
});

test('durations and sizes take their suffixes', async (t) => {
  for (const [text, ms] of [['1500ms', 1500], ['2s', 2000], ['1m', 60_000], ['1h', 3_600_000]]) {
    assert.equal(await retryOf(t, await serve(t, ['--retry', text])), ms);
  }
  await serve(t, ['--max-body', '64k', '--window-bytes', '2m', '--history-bytes', '1g']);
});

test('a port that is taken is an error with its address', async (t) => {
  const server = await serve(t);
  const { status, stderr } = await run(t, ['serve', '--listen', `127.0.0.1:${server.port}`]);
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${server.port}`));
});

test('a public address is refused without --insecure', async (t) => {
  const { status, stderr } = await run(t, ['serve', '--listen', '0.0.0.0:0']);
  assert.notEqual(status, 0);
  assert.match(stderr, /--insecure/);
  await serve(t, ['--insecure'], { listen: '0.0.0.0:0' });
});

test('IPv6 loopback', async (t) => {
  const server = await serve(t, [], { listen: '[::1]:0' });
  assert.match(server.url, /^http:\/\/\[::1\]:\d+$/);
});

test('pub publishes its argument', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const { status, stderr } = await run(t, ['pub', ...at(server), 'a', 'hello']);
  assert.equal(status, 0, stderr);
  assert.equal((await stream.next()).data, 'hello');
});

test('pub - publishes its input, byte for byte', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const { status, stderr } = await run(t, ['pub', ...at(server), 'a', '-', '--event', 'tick'], { input: 'one\ntwo\n' });
  assert.equal(status, 0, stderr);
  const event = await stream.next();
  assert.deepEqual([event.event, event.data], ['tick', 'one\ntwo\n']);
});

test('pub --lines publishes each line, as it comes', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const pub = start(t, ['pub', ...at(server), 'a', '--lines']);
  for (const line of ['one', 'two', 'three']) {
    pub.child.stdin.write(`${line}\n`);
    assert.equal((await stream.next()).data, line);
  }
  pub.child.stdin.end();
  assert.equal(await pub.exit(), 0, pub.stderr);
});

test('pub --ndjson publishes to the topics of its lines', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events?topic=**');
  const input = '{"topic":"a","data":"1"}\n{"topics":["b","c"],"data":{"n":2}}\n';
  const { status, stderr } = await run(t, ['pub', ...at(server), '--ndjson'], { input });
  assert.equal(status, 0, stderr);
  assert.deepEqual((await stream.take(2)).map((event) => event.data), ['1', '{"n":2}']);
});

test('pub --event-stream publishes each event as it comes', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const pub = start(t, ['pub', ...at(server), 'a', '--event-stream']);
  pub.child.stdin.write('event: word\ndata: one\n\n');
  assert.equal((await stream.next()).event, 'word');
  pub.child.stdin.end('data: two\n\n');
  assert.equal((await stream.next()).data, 'two');
  assert.equal(await pub.exit(), 0, pub.stderr);
});

test('sub is fed by pub', async (t) => {
  const server = await serve(t);
  const sub = start(t, ['sub', ...at(server), '--count', '2', 'a']);
  await untilSubscribers(t, server, 1);
  await run(t, ['pub', ...at(server), 'a', 'first']);
  await run(t, ['pub', ...at(server), 'a', 'second']);
  assert.equal(await sub.exit(), 0);
  assert.match(sub.stdout, /first[^]*second/);
});

test('pub says what went wrong and fails', async (t) => {
  const server = await serve(t);
  assert.equal((await run(t, ['pub', ...at(server), '*', 'x'])).status, 1);
  assert.equal((await run(t, ['pub'])).status, 2);
  await server.stop();
  const { status, stderr } = await run(t, ['pub', ...at(server), 'a', 'x']);
  assert.equal(status, 1);
  assert.match(stderr, /\S/);
});

test('sub prints events as they come', async (t) => {
  const server = await serve(t);
  const sub = start(t, ['sub', `${server.url}/events/a`]);
  await untilSubscribers(t, server, 1);
  await publish(t, server, 'a', 'hello');
  await sub.output(/hello/);
  await publish(t, server, 'a', 'again');
  await sub.output(/again/);
});

test('sub takes topics, several of them', async (t) => {
  const server = await serve(t);
  const sub = start(t, ['sub', ...at(server), 'a', 'b/*']);
  await untilSubscribers(t, server, 1);
  await publish(t, server, 'b/1', 'hello');
  await sub.output(/hello/);
});

test('sub --json prints one object a line', async (t) => {
  const server = await serve(t);
  const sub = start(t, ['sub', '--json', `${server.url}/events/a`]);
  await untilSubscribers(t, server, 1);
  const id = await publish(t, server, 'a', 'one\n"two"', { event: 'tick' });
  const event = JSON.parse((await sub.output(/^\{.*\}$/m))[0]);
  assert.deepEqual([event.id, event.event, event.data], [id, 'tick', 'one\n"two"']);
});

test('sub reconnects and misses nothing', async (t) => {
  const first = await serve(t, ['--retry', '100ms']);
  const sub = start(t, ['sub', `${first.url}/events/a`]);
  await untilSubscribers(t, first, 1);
  await publish(t, first, 'a', 'before');
  await sub.output(/before/);
  await first.stop();
  const second = await serve(t, ['--retry', '100ms'], { listen: `127.0.0.1:${first.port}` });
  await publish(t, second, 'a', 'while it was away');
  await untilSubscribers(t, second, 1, 30_000);
  await publish(t, second, 'a', 'after');
  await sub.output(/after/);
});

test('sub ends quietly when its reader has gone, and on SIGINT', async (t) => {
  const server = await serve(t);
  const sub = start(t, ['sub', `${server.url}/events/a`]);
  await untilSubscribers(t, server, 1);
  sub.kill('SIGINT');
  assert.ok([0, 130, 'SIGINT'].includes(await sub.exit()));
  const piped = start(t, ['sub', `${server.url}/events/a`]);
  await untilSubscribers(t, server, 1);
  piped.child.stdout.destroy();
  await until(async () => {
    await publish(t, server, 'a', 'x');
    return piped.status;
  }, 'sub has noticed that nobody reads');
});

test('sub gives up on an answer that is final, and says which', async (t) => {
  const server = await serve(t);
  const { status, stderr } = await run(t, ['sub', `${server.url}/nothing`]);
  assert.equal(status, 1);
  assert.match(stderr, /404/);
});
