// Changing live streams when something comes in between, and for those who may not: races, unknown names, limits,
// hostile bodies.

import assert from 'node:assert/strict';
import {
  assertProblem, connect, getJson, limitHits, metrics, publish, request, serve, test, until,
  untilSubscribers,
} from './harness/index.mjs';
import { ask, change, json, next, open, pathOf } from './harness/live.mjs';

// --- races ---

test('the connection ends while a change is under way', async (t) => {
  const server = await serve(t, ['--workers', '2']);
  const seen = new Set();
  for (let i = 0; i < 100; i++) {
    const stream = await open(t, server, '/events/a');
    const answers = Array.from({ length: 3 }, () => ask(t, server, stream.name, { add: [`b/${i}`], remove: ['a'] }));
    if (i % 2) {
      stream.socket.close();
    } else {
      await answers[0];
      stream.socket.close();
    }
    for (const response of await Promise.all(answers)) {
      seen.add(response.status);
    }
  }
  assert.deepEqual([...seen].filter((status) => status !== 200 && status !== 404), []);
  await untilSubscribers(t, server, 0);
});

test('who asks goes away before the answer', async (t) => {
  const server = await serve(t, ['--workers', '2']);
  const stream = await open(t, server, '/events/a');
  const body = JSON.stringify({ add: ['b'] });
  for (let i = 0; i < 50; i++) {
    const socket = await connect(t, server);
    socket.send(`POST ${pathOf(stream.name)} HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    socket.close();
  }
  await change(t, server, stream.name, { add: ['c'] });
  await publish(t, server, 'c', 'still here');
  assert.equal((await next(stream)).data, 'still here');
});

test('many changes at once all come through, in some order', async (t) => {
  const server = await serve(t, ['--workers', '2']);
  const stream = await open(t, server, '/events/a');
  const topics = Array.from({ length: 60 }, (_, i) => `b/${i}`);
  await Promise.all(topics.map((topic) => change(t, server, stream.name, { add: [topic] })));
  assert.deepEqual((await change(t, server, stream.name, {})).topics, ['a', ...topics].sort());
  await Promise.all(topics.map((topic) => change(t, server, stream.name, { remove: [topic] })));
  assert.deepEqual((await change(t, server, stream.name, {})).topics, ['a']);
});

test('during drain a change is answered, and the server ends', async (t) => {
  const server = await serve(t, ['--drain', '2s', '--workers', '2']);
  const streams = await Promise.all(Array.from({ length: 10 }, () => open(t, server, '/events/a')));
  const body = JSON.stringify({ add: ['b'], remove: ['a'] });
  const sockets = await Promise.all(streams.map(async (stream) => {
    const socket = await connect(t, server);
    socket.send(`POST ${pathOf(stream.name)} HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n{`);
    return socket;
  }));
  await until(async () => (await metrics(t, server)).samples.get('freshet_connections') >= 20, 'all are there');
  server.kill('SIGTERM');
  await server.output(/draining/, 'stderr');
  for (const socket of sockets) {
    socket.send(body.slice(1));
    assert.ok([200, 404].includes((await socket.readResponse()).status));
  }
  await Promise.all(streams.map((stream) => stream.finish()));
  assert.equal(await server.ending(), 0);
});

// --- who may not ---

test('unknown names are all answered alike', async (t) => {
  const server = await serve(t, ['--workers', '2']);
  const stream = await open(t, server, '/events/a');
  const gone = await open(t, server, '/events/a');
  gone.socket.close();
  await untilSubscribers(t, server, 1);
  const other = stream.name.endsWith('0') ? '1' : '0';
  const names = [
    gone.name, stream.name.slice(0, -1) + other, `1${stream.name.slice(1)}`, stream.name.slice(1), `${stream.name}0`,
    stream.name.toUpperCase().replace(/[^A-F]/, 'A'), 'ff'.repeat(17), '00'.repeat(17), 'x', '', '1', 'a/b', '%00', stream.name + '%20',
  ];
  const answers = new Set();
  for (const name of names) {
    const response = await ask(t, server, name, { add: ['b'] });
    assertProblem(response, 404);
    answers.add(response.body);
  }
  assert.equal(answers.size, 1);
  for (const path of [`/api/connections/${stream.name}`, `/api/connections/${stream.name}/topics/`]) {
    assertProblem(await request(t, server, { method: 'POST', path, headers: json, body: '{}' }), 405);
  }
  for (const method of ['GET', 'DELETE', 'PUT']) {
    const response = await request(t, server, { method, path: pathOf(stream.name) });
    assertProblem(response, 405);
    assert.equal(response.headers.allow, 'POST, OPTIONS');
  }
  assert.deepEqual((await change(t, server, stream.name, {})).topics, ['a']);
});

test('the limits of a subscribe hold', async (t) => {
  const server = await serve(t, ['--max-topics', '3', '--max-body', '1k']);
  const stream = await open(t, server, '/events?topic=a&topic=b');
  assert.deepEqual((await change(t, server, stream.name, { add: ['c'] })).topics, ['a', 'b', 'c']);
  const refused = [{ add: ['d'] }, { add: ['d', 'e', 'f', 'g'] }, { remove: ['d', 'e', 'f', 'g'] }, { add: ['d', 'e'], remove: ['a'] }];
  for (const [i, body] of refused.entries()) {
    const problem = assertProblem(await ask(t, server, stream.name, body), 400);
    assert.match(problem.detail, /more than 3 topics.*--max-topics/);
    assert.equal(await limitHits(t, server, 'max-topics'), i + 1);
  }
  assert.deepEqual((await change(t, server, stream.name, {})).topics, ['a', 'b', 'c']);
  assert.deepEqual((await change(t, server, stream.name, { add: ['d'], remove: ['a'] })).topics, ['b', 'c', 'd']);
  assertProblem(await ask(t, server, stream.name, { add: ['x'.repeat(2000)] }), 413);
  assert.equal(await limitHits(t, server, 'max-body'), 1);
});

test('hostile bodies change nothing', async (t) => {
  const server = await serve(t);
  const stream = await open(t, server, '/events/a');
  const bodies = [
    '', ' ', '{', '[]', 'null', '"a"', '1', '[{"add":["b"]}]', '{"add":["b"]}{"add":["b"]}', '{"add":["b"],}', '{"add":"b"}',
    '{"add":{"b":1}}', '{"add":[["b"]]}', '{"add":[null]}', '{"add":[1]}', '{"add":[true]}', '{"add":[{}]}', '{"add":[""]}',
    '{"add":["a\\u0000b"]}', '{"add":["a\\nb"]}', '{"add":["\\ud800"]}x', '{"add":["**/x"]}', `{"add":["${'x'.repeat(257)}"]}`,
    '{"remove":"a"}', '{"remove":["**/x"]}', '{"after":1}', '{"after":["1-0"]}', '{"after":{}}', '{"Add":["b"]}',
    '{"add":["b"],"topic":"b"}', '{"add":["b"],"add":["c"]}', '{"remove":["a"],"remove":[]}', '[[[[[[[[', '\ufeff{"add":["b"]}',
    '['.repeat(100_000), `{"add":[${'['.repeat(1000)}${']'.repeat(1000)}]}`, '{"add":["b"]}\0',
  ];
  for (const body of bodies) {
    const problem = assertProblem(await ask(t, server, stream.name, body), 400);
    assert.ok(problem.detail.length > 10, body.slice(0, 50));
  }
  const latin = await request(t, server, { method: 'POST', path: pathOf(stream.name), headers: json, body: Buffer.from('{"add":["\xff"]}', 'latin1') });
  assertProblem(latin, 400);
  assertProblem(await ask(t, server, stream.name, { add: ['b'] }, { 'content-type': 'text/plain' }), 415);
  assert.deepEqual((await change(t, server, stream.name, {})).topics, ['a']);
  const strange = await change(t, server, stream.name, { add: ['"', '\\', 'ü/\u{1f600}', 'a\u2028b'] });
  assert.deepEqual(strange.topics, ['"', '\\', 'a', 'a\u2028b', 'ü/\u{1f600}']);
});

test('a page of another origin may ask when its origin is allowed', async (t) => {
  const server = await serve(t, ['--cors-origin', 'https://app.example']);
  const stream = await open(t, server, '/events/a');
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
  const preflight = await request(t, server, { method: 'OPTIONS', path: pathOf(stream.name), headers });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers['access-control-allow-methods'], /POST/);
  assert.match(preflight.headers['access-control-allow-headers'], /Content-Type/);
  const response = await ask(t, server, stream.name, { add: ['b'] }, { ...json, origin: 'https://app.example' });
  assert.equal(response.headers['access-control-allow-origin'], 'https://app.example');
});

test('memory: names end with their streams, and feeds with who heard them', async (t) => {
  const server = await serve(t);
  for (let i = 0; i < 20; i++) {
    const stream = await open(t, server, '/events/a');
    await change(t, server, stream.name, { add: [`b/${i}`, `c/${i}/*`] });
    stream.socket.close();
  }
  await untilSubscribers(t, server, 0);
  assert.deepEqual((await getJson(t, server, '/api/topics')).topics, []);
});
