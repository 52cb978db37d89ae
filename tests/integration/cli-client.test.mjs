// freshet pub and freshet sub against a small HTTP server that this file plays itself, so that it can
// misbehave. Run after a build: node --test tests/integration/cli-client.test.mjs
// (FRESHET=path/to/freshet for another program than build/freshet). No fixed ports, no sleeps.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.FRESHET ?? `${root}build/freshet`;
const options = { timeout: 30_000 };
const stream = { 'Content-Type': 'text/event-stream' };

// A server whose handler gets (request, response, number of the request from 1).
async function serve(t, handler) {
  const requests = [];
  const server = http.createServer((request, response) => {
    requests.push(request);
    request.at = performance.now();
    handler(request, response, requests.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, url: `http://127.0.0.1:${server.address().port}` };
}

// The program, what it wrote, and promises for what it will do.
function freshet(t, ...args) {
  const env = { PATH: process.env.PATH };
  for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS']) {
    if (process.env[name]) env[name] = process.env[name];
  }
  const child = spawn(program, args, { env });
  const run = { child, stdout: '', stderr: '' };
  let wake = [];
  const grow = (name) => (text) => {
    run[name] += text;
    for (const check of wake) check();
  };
  child.stdout.setEncoding('utf8').on('data', grow('stdout'));
  child.stderr.setEncoding('utf8').on('data', grow('stderr'));
  child.stdin.on('error', () => {});
  run.sees = (name, pattern) => new Promise((resolve) => {
    const check = () => pattern.test(run[name]) && resolve();
    wake.push(check);
    check();
  });
  run.ended = once(child, 'close').then(([code, signal]) => signal ?? code);
  t.after(() => child.kill('SIGKILL'));
  return run;
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

async function succeeds(run) {
  assert.equal(await run.ended, 0, run.stderr);
}

async function fails(run, status, pattern) {
  assert.equal(await run.ended, status, run.stderr);
  assert.match(run.stderr, pattern);
}

test('sub prints the data of each event and ends with 204', options, async (t) => {
  const { requests, url } = await serve(t, (request, response, n) => {
    if (n === 2) return response.writeHead(204).end();
    response.writeHead(200, { 'Content-Type': 'TEXT/Event-Stream; charset=utf-8' });
    response.end(':\nretry: 100\nid: 1\nevent: tick\ndata: one\n\ndata: two\ndata: lines\n\ndata: cut');
  });
  const run = freshet(t, 'sub', `${url}/events`);
  await succeeds(run);
  assert.equal(run.stdout, 'one\ntwo\nlines\n');
  assert.equal(requests[0].headers.accept, 'text/event-stream');
  assert.equal(requests[0].headers['last-event-id'], undefined);
  assert.equal(requests[1].headers['last-event-id'], '1');
});

test('sub reconnects with the last id of whole events only', options, async (t) => {
  const bodies = ['id: a\ndata: 1\n\nid: b\ndata: lost\n', 'id: \xc3\xa9\ndata: 2\n\n', 'id\ndata: 3\n\n'];
  const { requests, url } = await serve(t, (request, response, n) => {
    response.writeHead(200, stream);
    response.end(Buffer.from(`retry: 100\n\n${bodies[n - 1] ?? 'data: 4\n\n'}`, 'latin1'));
  });
  const run = freshet(t, 'sub', `${url}/events`, '--count', '4');
  await succeeds(run);
  assert.equal(run.stdout, '1\n2\n3\n4\n');
  assert.equal(requests[1].headers['last-event-id'], 'a');
  assert.equal(requests[2].headers['last-event-id'], '\xc3\xa9');
  assert.equal(requests[3].headers['last-event-id'], undefined);
});

test('sub waits as long as retry says', options, async (t) => {
  const { requests, url } = await serve(t, (request, response, n) => {
    response.writeHead(200, stream).end(`retry: 400\ndata: ${n}\n\n`);
  });
  const run = freshet(t, 'sub', `${url}/events`, '-n', '2', '--retry', '1h');
  await succeeds(run);
  const waited = requests[1].at - requests[0].at;
  assert.ok(waited >= 395 && waited < 3000, `${waited} ms`);
  assert.match(run.stderr, /the stream ended; connecting again in 0\.[45] s/);
});

test('sub refuses what is no event stream, with a sentence', options, async (t) => {
  const { requests, url } = await serve(t, (request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>\n\ndata: no\n\n');
  });
  const run = freshet(t, 'sub', `${url}/`);
  await fails(run, 1, /^freshet sub: the answer is "text\/html", not text\/event-stream/);
  assert.equal(run.stdout, '');
  assert.equal(requests.length, 1);
});

test('sub gives up on 4xx with the detail of the problem', options, async (t) => {
  const { requests, url } = await serve(t, (request, response) => {
    response.writeHead(403, { 'Content-Type': 'application/problem+json' });
    response.end(JSON.stringify({ title: 'Forbidden', detail: 'Ask for a \u001b[31mtoken.' }));
  });
  const run = freshet(t, 'sub', 'news', '--url', url);
  await fails(run, 1, /^freshet sub: the server says 403: Ask for a  ?\[31mtoken\.\n$/);
  assert.equal(requests.length, 1);
});

test('sub retries 503 after Retry-After, and 4xx when asked to', options, async (t) => {
  const { requests, url } = await serve(t, (request, response, n) => {
    if (n === 1) return response.writeHead(503, { 'Retry-After': '1' }).end();
    if (n === 2) return response.writeHead(404).end();
    response.writeHead(200, stream).end('data: x\n\n');
  });
  const run = freshet(t, 'sub', 'news', '--url', url, '--retry', '100ms', '--retry-refused', '-n1');
  await succeeds(run);
  assert.equal(run.stdout, 'x\n');
  const waited = requests[1].at - requests[0].at;
  assert.ok(waited >= 995 && waited < 5000, `${waited} ms`);
});

test('sub reconnects when the connection breaks or falls silent', options, async (t) => {
  const { requests, url } = await serve(t, (request, response, n) => {
    response.writeHead(200, stream).write(`id: ${n}\ndata: ${n}\n\n`);
    if (n === 1) response.destroySoon ? response.socket.destroySoon() : response.socket.end();
  });
  const run = freshet(t, 'sub', 'news', '--url', url, '--retry', '100ms', '--read-timeout', '300ms',
    '-n3');
  await succeeds(run);
  assert.equal(run.stdout, '1\n2\n3\n');
  assert.match(run.stderr, /nothing came for/);
  assert.equal(requests[2].headers['last-event-id'], '2');
});

test('sub ends promptly and quietly on a signal', options, async (t) => {
  for (const [signal, end] of [['SIGINT', false], ['SIGTERM', true]]) {
    const { url } = await serve(t, (request, response) => {
      response.writeHead(200, stream).write('retry: 3600000\ndata: x\n\n');
      if (end) response.end();
    });
    const run = freshet(t, 'sub', 'news', '--url', url);
    await (end ? run.sees('stderr', /connecting again in/) : run.sees('stdout', /x\n/));
    const asked = performance.now();
    run.child.kill(signal);
    await succeeds(run);
    assert.ok(performance.now() - asked < 2000);
  }
});

test('sub ends when nobody reads any more', options, async (t) => {
  let response;
  const { url } = await serve(t, (request, answer) => {
    response = answer;
    answer.writeHead(200, stream).write('data: 1\n\n');
  });
  const run = freshet(t, 'sub', 'news', '--url', url);
  await run.sees('stdout', /1\n/);
  run.child.stdout.destroy();
  await once(run.child.stdout, 'close');
  response.write('data: 2\n\n');
  await succeeds(run);
  assert.equal(run.stderr, '');
});

test('sub asks for topics, and for the past only until it has an id', options, async (t) => {
  const { requests, url } = await serve(t, (request, response, n) => {
    response.writeHead(200, stream).end(n === 2 ? 'id: 7\ndata: x\n\n' : n === 3 ? 'data: y\n\n' : '');
  });
  const run = freshet(t, 'sub', 'a b/c', 'prices/*', '-t', 'https://x.example/1', '--url', `${url}/hub/`,
    '--last', '5', '--since', '2026-01-31T12:00:00Z', '-n2', '--retry', '100ms');
  await succeeds(run);
  const topics = '/hub/events?topic=a%20b/c&topic=prices/*&topic=https://x.example/1';
  const past = '&since=2026-01-31T12:00:00Z&last=5';
  assert.deepEqual(requests.map((r) => decodeURI(r.url)),
    [topics + past, topics + past, topics].map(decodeURI));
});

test('sub has the forms json and raw, and filters', options, async (t) => {
  const { url } = await serve(t, (request, response) => {
    response.writeHead(200, stream);
    response.end(':hi\nid: 1\nevent: freshet.gap\ndata: {}\n\nid: 2\nevent: a\ndata: x\ndata: "y"\n\ndata: z\n\n');
  });
  const sub = async (...args) => {
    const run = freshet(t, 'sub', `${url}/`, '--no-reconnect', ...args);
    await succeeds(run);
    return run;
  };
  const json = await sub('--json');
  assert.deepEqual(json.stdout.trim().split('\n').map(JSON.parse), [
    { id: '1', event: 'freshet.gap', data: '{}' },
    { id: '2', event: 'a', data: 'x\n"y"' },
    { id: '2', event: 'message', data: 'z' },
  ]);
  assert.match((await sub('--raw')).stdout, /^:hi\nid: 1\n[^]*data: z\n\n$/);
  assert.equal((await sub('--event', 'message')).stdout, 'z\n');
  assert.equal((await sub('--event', 'b,freshet.gap')).stdout, '{}\n');
  const plain = await sub();
  assert.equal(plain.stdout, 'x\n"y"\nz\n');
  assert.equal(plain.stderr, 'freshet sub: freshet.gap: {}\n');
});

test('sub starts again from the original URL, but for permanent redirects', options, async (t) => {
  const { requests, url } = await serve(t, (request, response) => {
    if (request.url === '/old') return response.writeHead(308, { Location: '/home' }).end();
    if (request.url === '/home') return response.writeHead(302, { Location: '/now' }).end();
    response.writeHead(200, stream).end('data: x\n\n');
  });
  const run = freshet(t, 'sub', `${url}/old`, '-n2', '--retry', '100ms');
  await succeeds(run);
  assert.deepEqual(requests.map((r) => r.url), ['/old', '/home', '/now', '/home', '/now']);
});

test('sub keeps credentials to the origin that they were given for', options, async (t) => {
  const there = await serve(t, (request, response) => {
    response.writeHead(307, { Location: `${here.url}/back` }).end();
  });
  const here = await serve(t, (request, response) => {
    if (request.url === '/near') return response.writeHead(307, { Location: '/far' }).end();
    if (request.url === '/far') return response.writeHead(307, { Location: `${there.url}/` }).end();
    if (request.url === '/back') return response.writeHead(307, { Location: '/stays' }).end();
    response.writeHead(200, stream).end('data: x\n\n');
  });
  const secret = here.url.replace('//', '//anna:p%40ss@');
  const run = freshet(t, 'sub', `${secret}/near`, '-n1', '-H', 'X-Key: k, 1', '-H', 'Cookie: c=1');
  await succeeds(run);
  const [near, far, back, stays] = here.requests;
  const [away] = there.requests;
  for (const request of [near, far]) {
    assert.equal(request.headers.authorization, `Basic ${btoa('anna:p@ss')}`);
    assert.equal(request.headers['x-key'], 'k, 1');
    assert.equal(request.headers.cookie, 'c=1');
  }
  for (const request of [away, back, stays]) {
    assert.equal(request.headers.authorization, undefined);
    assert.equal(request.headers['x-key'], undefined);
    assert.equal(request.headers.cookie, undefined);
  }
});

test('sub follows ten redirects, and only to http', options, async (t) => {
  const { requests, url } = await serve(t, (request, response) => {
    const left = Number(request.url.slice(1));
    if (Number.isNaN(left)) return response.writeHead(302, { Location: 'file:///etc/passwd' }).end();
    if (left > 0) return response.writeHead(302, { Location: `/${left - 1}` }).end();
    response.writeHead(200, stream).end('data: x\n\n');
  });
  await succeeds(freshet(t, 'sub', `${url}/10`, '-n1'));
  await fails(freshet(t, 'sub', `${url}/11`, '-n1'), 1, /more than 10 redirects/);
  await fails(freshet(t, 'sub', `${url}/file`, '-n1'), 1, /redirects \(302\) to no http or https URL/);
  assert.equal(requests.length, 11 + 11 + 1);
});

test('sub bounds what it holds', options, async (t) => {
  const { url } = await serve(t, (request, response) => {
    response.writeHead(200, stream);
    const more = () => response.write(`data: ${'x'.repeat(1000)}\n`, (error) => error || more());
    more();
  });
  await fails(freshet(t, 'sub', `${url}/`, '--max-event', '64k'), 1,
    /the stream has an event larger than 65536 bytes/);
});

test('sub without a server says so and backs off', options, async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  const once_ = freshet(t, 'sub', 'news', '--url', `http://127.0.0.1:${port}`, '--no-reconnect');
  await fails(once_, 1, /^freshet sub: Failed to connect to 127\.0\.0\.1/);
  const run = freshet(t, 'sub', 'news', '--url', `http://127.0.0.1:${port}`, '--retry', '100ms');
  await run.sees('stderr', /in 0\.1 s[^]*in 0\.2 s[^]*in 0\.[45] s/);
});

test('misuse has status 2 and a sentence', options, async (t) => {
  for (const [args, pattern] of [
    [[], /say what to do/],
    [['srub'], /did you mean freshet sub\?/],
    [['sub'], /say what to listen to/],
    [['sub', 'http://h/', 'topic'], /a URL stands alone/],
    [['sub', 'news', '--jsn'], /there is no option --jsn; did you mean --json\?/],
    [['sub', 'news', '--url', 'ftp://h'], /--url must be the http/],
    [['sub', 'news', '--raw', '--json'], /--raw prints the stream as it is/],
    [['sub', 'news', '-H', 'secret'], /header 1 is not of the form/],
    [['sub', 'news', '--last-event-id', ' x'], /--last-event-id must have/],
    [['pub'], /give a topic and the data/],
    [['pub', 'news'], /give the data as an argument, or -/],
    [['pub', 'news', 'a', 'b'], /more than one argument/],
    [['pub', '', 'a'], /the topic is empty/],
    [['pub', 'news', '--lines', '--ndjson'], /exclude each other/],
    [['pub', 'news', '--ndjson'], /names its own topic/],
    [['pub', 'news', '--lines', '--id', '5'], /--id is for a single event/],
    [['pub', 'news', '--event-stream', '--event', 'x'], /the input has its own fields/],
  ]) {
    await fails(freshet(t, ...args), 2, pattern);
  }
});

test('pub sends one event and prints its id', options, async (t) => {
  const { requests, url } = await serve(t, async (request, response) => {
    request.body = await body(request);
    response.end('{"id":"5-0"}');
  });
  const run = freshet(t, 'pub', 'a b/ü?', 'Hello', '--url', url, '-e', 'tick', '--id', 'x&y', '--retry',
    '2s', '-H', 'Authorization: Bearer t');
  await succeeds(run);
  assert.equal(run.stdout, '5-0\n');
  assert.equal(requests[0].method, 'POST');
  assert.equal(requests[0].url, '/events/a%20b/%C3%BC%3F?event=tick&id=x%26y&retry=2000');
  assert.equal(requests[0].headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(requests[0].headers.authorization, 'Bearer t');
  assert.equal(String(requests[0].body), 'Hello');
});

test('pub sends standard input byte for byte', options, async (t) => {
  const { requests, url } = await serve(t, async (request, response) => {
    request.body = await body(request);
    response.end('{"id":"5-0"}');
  });
  const data = Buffer.concat([Buffer.from('a\r\nb\n\0\xff\n', 'latin1'), Buffer.alloc(300_000, 'x')]);
  const run = freshet(t, 'pub', 'news', '-', '--url', url, '-q');
  run.child.stdin.end(data);
  await succeeds(run);
  assert.equal(run.stdout, '');
  assert.ok(requests[0].body.equals(data));
});

test('pub prints why the server refused', options, async (t) => {
  const { requests, url } = await serve(t, (request, response) => {
    response.writeHead(413).end(JSON.stringify({ detail: 'Send at most 1 MiB.' }));
  });
  const run = freshet(t, 'pub', 'news', 'x', '--url', url);
  await fails(run, 1, /^freshet pub: the server says 413: Send at most 1 MiB\.\n$/);
  assert.equal(requests.length, 1);
});

test('pub repeats under one key, and only what may help', options, async (t) => {
  const { requests, url } = await serve(t, (request, response, n) => {
    if (n === 1) return request.socket.destroy();
    if (n === 2) return response.writeHead(503, { 'Retry-After': '0' }).end();
    response.end('{"id":"5-0"}');
  });
  const run = freshet(t, 'pub', 'news', 'x', '--url', url);
  await succeeds(run);
  assert.equal(run.stdout, '5-0\n');
  const keys = requests.map((request) => request.headers['idempotency-key']);
  assert.match(keys[0], /^[0-9a-f]{32}$/);
  assert.deepEqual(keys, [keys[0], keys[0], keys[0]]);
  const again = freshet(t, 'pub', 'news', 'x', '--url', url);
  await succeeds(again);
  assert.notEqual(requests[3].headers['idempotency-key'], keys[0]);
});

test('pub gives up after its attempts', options, async (t) => {
  const { requests, url } = await serve(t, (request, response) => response.writeHead(500).end());
  const run = freshet(t, 'pub', 'news', 'x', '--url', url, '--attempts', '2');
  await fails(run, 1, /the server says 500; trying again in [^]*the server says 500\n$/);
  assert.equal(requests.length, 2);
});

// Answers a batch item by item; `batches` are the items of each request.
async function serveBatches(t) {
  const batches = [];
  let n = 0;
  const waiting = [];
  const { url, requests } = await serve(t, async (request, response) => {
    const items = String(await body(request)).trim().split('\n').map(JSON.parse);
    batches.push(items);
    response.end(JSON.stringify(items.map((item) => item.data === 'bad'
      ? { status: 400, detail: 'Not that.' } : { id: `${++n}-0` })));
    for (const resolve of waiting.splice(0)) resolve();
  });
  return { url, requests, batches, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

test('pub --lines sends each line as it comes', options, async (t) => {
  const { url, requests, batches, next } = await serveBatches(t);
  const run = freshet(t, 'pub', 'logs', '--lines', '--url', url, '-e', 'line', '--retry', '1s');
  let came = next();
  run.child.stdin.write('one "1"\r\n\nthree');
  await came;
  came = next();
  run.child.stdin.write('\n');
  await came;
  run.child.stdin.end('é last');
  await succeeds(run);
  const item = (data) => ({ topic: 'logs', event: 'line', retry: 1000, data });
  assert.deepEqual(batches, [[item('one "1"'), item('')], [item('three')], [item('é last')]]);
  assert.equal(requests[0].url, '/events');
  assert.equal(requests[0].headers['content-type'], 'application/x-ndjson');
  assert.equal(run.stdout, '1-0\n2-0\n3-0\n4-0\n');
});

test('pub --lines splits long input into batches', options, async (t) => {
  const { url, batches } = await serveBatches(t);
  const run = freshet(t, 'pub', 'logs', '--lines', '--url', url);
  const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${'x'.repeat(i % 200)}`);
  run.child.stdin.end(lines.join('\n'));
  await succeeds(run);
  assert.deepEqual(batches.flat().map((item) => item.data), lines);
  assert.ok(batches.every((batch) => batch.length <= 1000));
  assert.equal(run.stdout.trim().split('\n').length, 5000);
});

test('pub --lines names the line that was refused', options, async (t) => {
  const { url } = await serveBatches(t);
  const run = freshet(t, 'pub', 'logs', '--lines', '--url', url);
  run.child.stdin.end('a\nbad\nc\n');
  await fails(run, 1, /^freshet pub: line 2: Not that\.\n$/);
  assert.equal(run.stdout, '1-0\n2-0\n');
  const other = freshet(t, 'pub', 'logs', '--lines', '--url', url, '-');
  other.child.stdin.end(Buffer.from('a\n\xff\nc\n', 'latin1'));
  await fails(other, 1, /^freshet pub: line 2 is not valid UTF-8\n$/);
  assert.equal(other.stdout, '3-0\n');
});

test('pub --ndjson passes the objects on', options, async (t) => {
  const { url, batches } = await serveBatches(t);
  const run = freshet(t, 'pub', '--ndjson', '--url', url);
  run.child.stdin.end('{"topic":"a","data":1}\n\n {"topics":["b"],"data":{"x":[1.50]}}\n');
  await succeeds(run);
  assert.deepEqual(batches.flat(), [{ topic: 'a', data: 1 }, { topics: ['b'], data: { x: [1.5] } }]);
});

test('pub --event-stream sends what it reads at once, chunked', options, async (t) => {
  let seen = '';
  let wake = () => {};
  const { requests, url } = await serve(t, async (request, response) => {
    for await (const part of request) {
      seen += part;
      wake();
    }
    response.end('[{"id":"1-0"},{"id":"2-0"}]');
  });
  const run = freshet(t, 'pub', 'model', '--event-stream', '--url', url);
  const arrives = (text) => new Promise((resolve) => {
    wake = () => seen.endsWith(text) && resolve();
  });
  const began = performance.now();
  for (const event of ['data: one\n\n', 'data: two\n\n', 'data: three\n\n', 'data: four\n\n']) {
    const arrived = arrives(event);
    run.child.stdin.write(event);
    await arrived; // while the input is still open
  }
  // Input alone must wake the program; libcurl's own timers would do so within 10 s.
  assert.ok(performance.now() - began < 5000);
  run.child.stdin.end();
  await succeeds(run);
  assert.equal(run.stdout, '1-0\n2-0\n');
  assert.equal(requests[0].url, '/events/model');
  assert.equal(requests[0].headers['content-type'], 'text/event-stream');
  assert.equal(requests[0].headers['transfer-encoding'], 'chunked');
  assert.equal(requests[0].headers.expect, undefined);
});

test('pub --event-stream hears a refusal while it is still sending', options, async (t) => {
  const { requests, url } = await serve(t, (request, response, n) => {
    response.writeHead(401, n === 1 ? { Connection: 'close' } : {});
    response.end(JSON.stringify({ detail: 'Give a token.' }));
  });
  for (let n = 1; n <= 2; n++) {
    const run = freshet(t, 'pub', 'model', '--event-stream', '--url', url);
    run.child.stdin.write('data: one\n\n');
    await fails(run, 1, /^freshet pub: the server says 401: Give a token\.\n$/);
    assert.equal(requests.length, n);
  }
});

test('pub --event-stream notices that the server went away while its input is silent', options, async (t) => {
  const { requests, url } = await serve(t, (request) => {
    request.once('data', () => request.socket.end());
  });
  const run = freshet(t, 'pub', 'model', '--event-stream', '--url', url);
  run.child.stdin.write('data: one\n\n');
  await fails(run, 1, /^freshet pub: the server closed the connection\n$/);
  assert.equal(requests.length, 1);
});

test('pub ends on a signal, before its input does', options, async (t) => {
  let arrived;
  const { url } = await serve(t, (request) => {
    request.once('data', () => arrived());
  });
  for (const [mode, answer] of [['--event-stream', false], ['--lines', false], ['--lines', true]]) {
    const run = freshet(t, 'pub', 'model', mode, '--url', answer ? (await serveBatches(t)).url : url);
    const ready = answer ? run.sees('stdout', /1-0\n/) : new Promise((resolve) => { arrived = resolve; });
    run.child.stdin.write('data: one\n\n');
    await ready;
    const asked = performance.now();
    run.child.kill('SIGTERM');
    assert.equal(await run.ended, 1, run.stderr);
    assert.ok(performance.now() - asked < 2000);
  }
});

test('help and version', options, async (t) => {
  const version = freshet(t, '--version');
  await succeeds(version);
  assert.match(version.stdout, /^freshet \d+\.\d+\.\d+\nlibuv \d[^]*libcurl \d/);
  const [asked, flagged] = [freshet(t, 'help', 'sub'), freshet(t, 'sub', '--help')];
  await succeeds(asked);
  await succeeds(flagged);
  assert.equal(asked.stdout, flagged.stdout);
  assert.match(asked.stdout, /--last-event-id ID/);
  for (const form of ['--help', '--help-markdown', '--help-man']) {
    await succeeds(freshet(t, form));
    await succeeds(freshet(t, 'pub', form));
  }
});
