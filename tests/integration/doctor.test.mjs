// freshet doctor, sent through middlemen that each do one thing wrong, which it must find; and through none, and
// through a real proxy, set right and set wrong.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { run, serve, slow, start, test, untilSubscribers, withoutCompression } from './harness/index.mjs';
import { doctor } from './harness/doctor.mjs';
import { missingProxy, startProxy } from './harness/proxies.mjs';

// What a middleman does when nothing else is said: pass on the request and the answer, each piece as it comes.
const honest = {
  request: (headers) => headers,
  respond: (upstream, response) => {
    response.writeHead(upstream.statusCode, upstream.headers);
    upstream.pipe(response);
  },
};

// A proxy in front of `server`; returns its URL. `behaviour` replaces parts of the honest one, for streams only.
async function middleman(t, server, behaviour = {}) {
  const proxy = http.createServer(async (request, response) => {
    const { request: change, respond, answer } = request.method !== 'POST' ? { ...honest, ...behaviour } : honest;
    if (answer?.(request, response)) {
      return;
    }
    const { connection, ...headers } = request.headers;
    const options = { port: server.port, host: '127.0.0.1', method: request.method, path: request.url, agent: false, headers: await change(headers, request) };
    const upstream = http.request(options, (received) => {
      const { connection: theirs, 'keep-alive': kept, ...rest } = received.headers;
      received.headers = rest;
      received.on('error', () => response.destroy());
      respond(received, response, request);
      response.flushHeaders();
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${proxy.address().port}`;
}

const all = [
  'status', 'version', 'headers', 'delivery', ...(withoutCompression() ? [] : ['compression']), 'caching', 'resume', 'origin', 'idle',
];

test('nothing in between is all well', async (t) => {
  const server = await serve(t, ['--heartbeat', '200ms', '--cors-origin', 'https://a.example']);
  const { status, result, findings, oks } = await doctor(t, server.url, '--idle', '1s', '--origin', 'https://a.example');
  assert.deepEqual(oks, all, JSON.stringify(findings));
  assert.equal(findings.length, all.length);
  assert.equal(status, 0);
  assert.equal(result, 'ok');
});

test('an honest middleman is all well', async (t) => {
  const server = await serve(t, ['--heartbeat', '200ms']);
  const url = await middleman(t, server);
  const { status, findings, oks } = await doctor(t, url, '--idle', '1s');
  assert.deepEqual(oks, all, JSON.stringify(findings));
  assert.equal(status, 0);
});

test('a stream by its own URL is listened to, and a topic of the doctor beside it', async (t) => {
  const server = await serve(t);
  const sub = start(t, ['sub', `${server.url}/events/news`]);
  const { fails, get } = await doctor(t, `${server.url}/events/news?last=1`, '--idle', '0');
  assert.deepEqual(fails, []);
  assert.equal(get('delivery').level, 'ok');
  assert.equal(sub.stdout, '', 'those who listen to the topic see nothing of it');
});

test('a path of any name, with the topic named, publishing elsewhere', async (t) => {
  const server = await serve(t);
  const url = await middleman(t, { port: server.port }, {
    answer: (request) => {
      request.url = request.url.replace('/live', '/events/news');
      return false;
    },
  });
  const { fails, get } = await doctor(t, `${url}/live`, '--topic', 'news', '--publish-url', server.url, '--idle', '0');
  assert.deepEqual(fails, []);
  assert.equal(get('delivery').level, 'ok');
});

test('one that collects 4 KB', async (t) => {
  const server = await serve(t, ['--heartbeat', '100ms']);
  const url = await middleman(t, server, {
    respond: (upstream, response) => {
      let kept = Buffer.alloc(0);
      response.writeHead(200, upstream.headers);
      upstream.on('data', (chunk) => {
        kept = Buffer.concat([kept, chunk]);
        if (kept.length >= 4096) {
          response.write(kept);
          kept = Buffer.alloc(0);
        }
      });
    },
  });
  const { status, fails, get } = await doctor(t, url, '--idle', '0');
  assert.deepEqual(fails, ['buffering']);
  assert.equal(status, 1);
  const [, bytes] = get('buffering').text.match(/after about (\d+) bytes/);
  assert.ok(Number(bytes) >= 2048, bytes);
  assert.match(get('buffering').advice, /buffering off/);
});

test('one that waits for the end', async (t) => {
  const server = await serve(t);
  const url = await middleman(t, server, {
    respond: (upstream, response) => {
      response.flushHeaders = () => {};
      upstream.resume();
    },
  });
  const { status, fails, get } = await doctor(t, url, '--idle', '0');
  assert.deepEqual(fails, ['buffering']);
  assert.match(get('buffering').text, /no head either/);
  assert.equal(status, 1);
});

const zipping = (flush) => ({
  respond: (upstream, response) => {
    const gzip = zlib.createGzip({ flush });
    response.writeHead(200, { ...upstream.headers, 'content-encoding': 'gzip' });
    upstream.on('end', () => gzip.end());
    upstream.pipe(gzip, { end: false }).pipe(response);
  },
});

test('one that compresses without flushing', async (t) => {
  const server = await serve(t, ['--compression', 'off']);
  const flushless = zipping(zlib.constants.Z_NO_FLUSH);
  const url = await middleman(t, server, {
    respond: (upstream, response, request) =>
      (request.headers['accept-encoding']?.includes('gzip') ? flushless : honest).respond(upstream, response),
  });
  const { status, fails, get } = await doctor(t, url, '--idle', '0');
  assert.deepEqual(fails, ['compression']);
  assert.match(get('compression').text, /gzip.*kept back/);
  assert.equal(status, 1);
});

test('one that compresses and flushes is well', async (t) => {
  const server = await serve(t, ['--compression', 'off']);
  const url = await middleman(t, server, zipping(zlib.constants.Z_SYNC_FLUSH));
  const { status, fails, warns, get } = await doctor(t, url, '--idle', '0');
  assert.deepEqual([...fails, ...warns], []);
  assert.match(get('compression').text, /flushed after each event/);
  assert.equal(status, 0);
});

test('one that strips Last-Event-ID', async (t) => {
  const server = await serve(t);
  const url = await middleman(t, server, {
    request: ({ 'last-event-id': stripped, ...headers }) => headers,
  });
  const { status, fails, get } = await doctor(t, url, '--idle', '0');
  assert.deepEqual(fails, ['resume']);
  assert.match(get('resume').text, /last_event_id does/);
  assert.equal(status, 1);
});

test('one that strips the query', async (t) => {
  const server = await serve(t);
  const url = await middleman(t, server, {
    answer: (request) => {
      request.url = request.url.replace(/\?.*/, '');
      return false;
    },
  });
  const { status, fails, warns } = await doctor(t, url, '--idle', '0');
  assert.deepEqual([fails, warns], [[], ['resume-query']]);
  assert.equal(status, 0);
});

test('a server without a history', async (t) => {
  const server = await serve(t, ['--history-count', '0']);
  // While the first listener is there, what it heard last is in the window, for who comes back.
  const url = await middleman(t, server, {
    request: async (headers, { url: target }) => {
      if (headers['last-event-id'] || target.includes('last_event_id')) {
        await untilSubscribers(t, server, 0);
      }
      return headers;
    },
  });
  const { fails, get } = await doctor(t, url, '--idle', '0');
  assert.deepEqual(fails, ['resume']);
  assert.match(get('resume').advice, /history/);
});

test('a server that is full', async (t) => {
  const server = await serve(t, ['--max-connections', '1']);
  const sub = start(t, ['sub', `${server.url}/events/news`]);
  await untilSubscribers(t, server, 1);
  const { status, fails, get } = await doctor(t, server.url, '--idle', '0');
  assert.ok(fails.includes('delivery'), JSON.stringify(fails));
  assert.match(get('delivery').advice, /full/);
  assert.equal(status, 1);
  assert.equal(sub.status, undefined);
});

test('publishing that is refused after the first', async (t) => {
  const server = await serve(t);
  let published = 0;
  const limit = http.createServer((request, response) => {
    published++;
    if (published > 1) {
      response.writeHead(429).end();
      return;
    }
    request.pipe(http.request({ port: server.port, host: '127.0.0.1', method: 'POST', path: request.url }, (answer) => answer.pipe(response)));
  });
  limit.listen(0, '127.0.0.1');
  await once(limit, 'listening');
  t.after(() => limit.close());
  const { status, fails } = await doctor(t, server.url, '--idle', '0', '--publish-url', `http://127.0.0.1:${limit.address().port}`);
  assert.deepEqual([fails, status], [[], 0]);
});

test('one that cuts quiet streams after a second', async (t) => {
  const server = await serve(t, ['--heartbeat', '0']);
  const url = await middleman(t, server, {
    respond: (upstream, response) => {
      // The doctor measures the silence, so that the middleman has to measure one too.
      response.socket.setTimeout(1000 * slow, () => response.destroy());
      honest.respond(upstream, response);
    },
  });
  const { status, fails, get } = await doctor(t, url, '--idle', `${20 * slow}s`);
  assert.deepEqual(fails, ['idle']);
  const [, seconds] = get('idle').text.match(/cut after (\d+\.\d) s of silence/);
  assert.ok(Number(seconds) >= slow * 0.9, seconds);
  assert.match(get('idle').advice, /heartbeat/);
  assert.equal(status, 1);
});

// Answers whose streams know when they are left alone: when a page of another origin has asked, which is the doctor's
// last test before that.
function untilLeftAlone(begin) {
  const streams = [];
  return (upstream, response, request) => {
    const stream = { upstream, response, alone: false };
    if (request.headers.origin) {
      streams.forEach((each) => { each.alone = true; });
    }
    streams.push(stream);
    begin(stream);
  };
}

test('one that ends every answer some time after it began, however busy', async (t) => {
  const server = await serve(t, ['--heartbeat', '50ms']);
  const url = await middleman(t, server, {
    respond: untilLeftAlone((stream) => {
      let heartbeats = 0;
      honest.respond(stream.upstream, stream.response);
      stream.upstream.on('data', () => {
        heartbeats += stream.alone;
        if (heartbeats === 20) {
          stream.response.destroy();
        }
      });
    }),
  });
  const { warns, get } = await doctor(t, url, '--idle', `${20 * slow}s`);
  assert.deepEqual(warns, ['idle']);
  assert.match(get('idle').text, /whole responses/);
});

test('one that forgets a quiet stream without closing it', async (t) => {
  const server = await serve(t, ['--heartbeat', '0']);
  const url = await middleman(t, server, {
    respond: untilLeftAlone((stream) => {
      stream.response.writeHead(200, stream.upstream.headers);
      stream.upstream.on('data', (chunk) => stream.alone || stream.response.write(chunk));
    }),
  });
  const { fails, get } = await doctor(t, url, '--idle', '1s');
  assert.deepEqual(fails, ['idle']);
  assert.match(get('idle').text, /forgotten/);
});

test('one that caches: the second listener gets what the first one got', async (t) => {
  const server = await serve(t);
  const kept = new Map();
  const url = await middleman(t, server, {
    answer: (request, response) => {
      const entry = kept.get(request.url);
      if (!entry) {
        return false;
      }
      response.writeHead(200, { ...entry.headers, age: '3' });
      response.write(Buffer.concat(entry.chunks));
      entry.readers.push(response);
      return true;
    },
    respond: (upstream, response, request) => {
      const entry = { headers: upstream.headers, chunks: [], readers: [response] };
      kept.set(request.url, entry);
      response.writeHead(200, upstream.headers);
      upstream.on('data', (chunk) => {
        entry.chunks.push(chunk);
        entry.readers.forEach((reader) => reader.write(chunk));
      });
    },
  });
  const { status, fails, get } = await doctor(t, url, '--idle', '0');
  assert.ok(fails.includes('caching'), JSON.stringify(fails));
  assert.match(get('caching').text, /from before it came/);
  assert.equal(status, 1);
});

test('one that makes a second listener wait for the first', async (t) => {
  const server = await serve(t);
  const busy = new Set();
  const url = await middleman(t, server, {
    answer: (request, response) => {
      if (busy.has(request.url)) {
        return true;
      }
      busy.add(request.url);
      response.on('close', () => busy.delete(request.url));
      return false;
    },
  });
  const { fails, get } = await doctor(t, url, '--idle', '0');
  assert.ok(fails.includes('caching'), JSON.stringify(fails));
  assert.match(get('caching').text, /one request of the two/);
});

test('one that answers 504', async (t) => {
  const server = await serve(t);
  const url = await middleman(t, server, {
    answer: (request, response) => response.writeHead(504, { server: 'nginx/1.22.1' }).end('too late'),
  });
  const { status, fails, get } = await doctor(t, url);
  assert.deepEqual(fails, ['status']);
  assert.match(get('status').text, /504.*in vain/);
  assert.match(get('hops').text, /nginx/);
  assert.equal(status, 1);
});

test('one that answers with a page', async (t) => {
  const server = await serve(t);
  const url = await middleman(t, server, {
    answer: (request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome'),
  });
  const { fails, get } = await doctor(t, url);
  assert.deepEqual(fails, ['content-type']);
  assert.match(get('content-type').text, /text\/html/);
});

test('one that takes away Cache-Control', async (t) => {
  const server = await serve(t);
  const url = await middleman(t, server, {
    respond: (upstream, response) => {
      const { 'cache-control': stripped, ...headers } = upstream.headers;
      honest.respond(Object.assign(upstream, { headers: { ...headers, 'cache-control': 'max-age=60' } }), response);
    },
  });
  const { warns, get } = await doctor(t, url, '--idle', '0');
  assert.deepEqual(warns, ['headers']);
  assert.match(get('headers').text, /max-age=60/);
});

test('one that blocks other origins, and one that does not forward OPTIONS', async (t) => {
  const server = await serve(t, ['--cors-origin', 'https://a.example']);
  const blocking = await middleman(t, server, {
    answer: (request, response) => request.headers.origin && response.writeHead(403).end(),
  });
  const first = await doctor(t, blocking, '--idle', '0', '--origin', 'https://a.example');
  assert.deepEqual(first.fails, ['origin']);
  assert.match(first.get('origin').text, /403/);

  const deaf = await middleman(t, server, {
    answer: (request, response) => request.method === 'OPTIONS' && response.writeHead(405).end(),
  });
  const second = await doctor(t, deaf, '--idle', '0', '--origin', 'https://a.example');
  assert.deepEqual([second.fails, second.warns], [[], ['preflight']]);

  const unlisted = await doctor(t, server.url, '--idle', '0', '--origin', 'https://b.example');
  assert.deepEqual(unlisted.fails, ['origin']);
  assert.match(unlisted.get('origin').advice, /--cors-origin https:\/\/b\.example/);
});

test('one that speaks HTTP/1.0', async (t) => {
  const server = await serve(t);
  const proxy = net.createServer((socket) => {
    const upstream = net.connect(server.port, '127.0.0.1');
    let first = true;
    upstream.on('data', (chunk) => {
      socket.write(first ? chunk.toString('latin1').replace('HTTP/1.1', 'HTTP/1.0') : chunk, 'latin1');
      first = false;
    });
    for (const [one, other] of [[socket, upstream], [upstream, socket]]) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
    socket.on('data', (chunk) => upstream.write(chunk));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  const { fails, warns, get } = await doctor(t, `http://127.0.0.1:${proxy.address().port}`, '--idle', '0');
  assert.deepEqual([fails, warns], [[], ['version']]);
  assert.match(get('version').text, /HTTP\/1\.0/);
});

test('publishing that is refused leaves the heartbeats to watch', async (t) => {
  const server = await serve(t, ['--heartbeat', '100ms']);
  const url = await middleman(t, server);
  const closed = http.createServer((request, response) => response.writeHead(403).end());
  closed.listen(0, '127.0.0.1');
  await once(closed, 'listening');
  t.after(() => closed.close());
  const { status, fails, skips, get } = await doctor(t, url, '--idle', '1s', '--publish-url', `http://127.0.0.1:${closed.address().port}`);
  assert.deepEqual([fails, skips], [[], ['delivery']]);
  assert.match(get('delivery').text, /403/);
  assert.match(get('idle').text, /[1-9]\d* heartbeats? came/);
  assert.equal(status, 0);
});

test('a server that is not there, and a request that makes no sense, have status 2', async (t) => {
  const server = await serve(t);
  const gone = server.url;
  await server.stop();
  assert.deepEqual((await doctor(t, gone)).fails, ['reach']);
  assert.equal((await doctor(t, gone)).status, 2);
  for (const args of [['ftp://example.com'], ['http://a', 'http://b'], [gone, '--origin', 'example.com/'], [gone, '-H', 'x']]) {
    const { status, stderr } = await run(t, ['doctor', ...args]);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /^freshet doctor: /);
  }
});

test('a signal stops it, with status 2', async (t) => {
  const server = await serve(t);
  const program = start(t, ['doctor', server.url, '--idle', '1h']);
  await untilSubscribers(t, server, 1);
  program.kill('SIGINT');
  assert.equal(await program.exit(), 2);
  assert.match(program.stderr, /stopped/);
});

test('this machine, by the settings of the server', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'freshet-doctor-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const config = path.join(dir, 'freshet.conf');
  writeFileSync(config, 'max-connections 4000\nhistory-bytes 1m\nheartbeat 5s\n');
  const machine = (args, options) => run(t, ['doctor', ...args], options);

  const enough = await machine(['--config', config], { files: 5000 });
  assert.match(enough.stdout, /^OK +descriptors +5000 .*4000 connections/m);
  const few = await machine(['--config', config], { files: 1000 });
  assert.match(few.stdout, /^FAIL +descriptors .*1000/m);
  assert.equal(few.status, 1);
  const unchosen = await machine([], { files: 1000 });
  assert.match(unchosen.stdout, /^WARN +descriptors .*100000/m);
  const environment = await machine([], { files: 1000, env: { FRESHET_MAX_CONNECTIONS: '500' } });
  assert.match(environment.stdout, /^OK +descriptors .*500 connections/m);
  const flag = await machine(['--max-connections', '2000', '--config', config], { files: 1000 });
  assert.match(flag.stdout, /^FAIL +descriptors .*2000/m);

  writeFileSync(config, 'max-connections 4000\n[topics "a/**"]\nhistory-count = 5\n[listen "127.0.0.1:1"]\nhttp2 = off\n');
  const sections = await machine(['--config', config], { files: 5000 });
  assert.match(sections.stdout, /4000 connections/, sections.stderr);

  writeFileSync(config, 'max-connexions 4000\n');
  const mistaken = await machine(['--config', config]);
  assert.equal(mistaken.status, 2);
  assert.match(mistaken.stderr, /max-connections/);
});

test('nginx as docs/proxies sets it is well', { skip: missingProxy('nginx') }, async (t) => {
  const server = await serve(t, ['--heartbeat', '200ms']);
  const proxy = await startProxy(t, 'nginx', server);
  const { status, fails, warns, findings, get } = await doctor(t, proxy.url, '--idle', '1s');
  assert.deepEqual([...fails, ...warns], [], JSON.stringify(findings));
  assert.match(get('hops').text, /nginx/);
  assert.equal(status, 0);
});

test('nginx that buffers, deaf to X-Accel-Buffering', { skip: missingProxy('nginx') }, async (t) => {
  const server = await serve(t);
  const edit = (text) => text.replace('proxy_buffering off;', 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;');
  const proxy = await startProxy(t, 'nginx', server, { edit });
  const { status, fails, get } = await doctor(t, proxy.url, '--idle', '0');
  assert.deepEqual(fails, ['buffering']);
  assert.match(get('buffering').advice, /^nginx: proxy_buffering off, and no proxy_ignore_headers/);
  assert.equal(status, 1);
});

test('nginx that is impatient, behind a server without heartbeats', { skip: missingProxy('nginx') }, async (t) => {
  const server = await serve(t, ['--heartbeat', '0']);
  const proxy = await startProxy(t, 'nginx', server, { silence: `${2 * slow}s` });
  const { fails, get } = await doctor(t, proxy.url, '--idle', `${30 * slow}s`);
  assert.deepEqual(fails, ['idle']);
  assert.match(get('idle').advice, /proxy_read_timeout/);
});
