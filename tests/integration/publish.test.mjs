// POST /events: every form in which an event may be handed in, and every refusal.

import assert from 'node:assert/strict';
import {
  assertProblem, assertRising, connect, order, post, postJson, publish, request, serve, subscribe, test,
} from './harness/index.mjs';

// What a subscriber of every topic hears after `act`, up to a marker that is published last.
async function heard(t, server, act) {
  const stream = await subscribe(t, server, '/events?topic=**');
  const result = await act();
  await publish(t, server, 'marker', 'end');
  const events = await stream.takeUntil((event) => event.data === 'end');
  return { result, events: events.slice(0, -1) };
}

test('a raw body is the data, verbatim', async (t) => {
  const server = await serve(t);
  for (const data of ['hello', '', ' leading', 'trailing ', ':colon', 'data: x', '\u2028 and \u{1F600}', '{"a": 1}']) {
    const { result, events } = await heard(t, server, () => post(t, server, 'a', data));
    assert.equal(result.status, 200, result.body);
    assert.match(result.headers['content-type'], /^application\/json/);
    assert.match(result.json().id, /^\d+-\d+$/);
    assert.deepEqual(events, [{ event: 'message', id: result.json().id, data }]);
  }
});

test('the type of a raw body does not matter', async (t) => {
  const server = await serve(t);
  const types = ['text/plain', 'application/json', 'application/x-www-form-urlencoded', 'application/octet-stream', undefined];
  for (const type of types) {
    const { events } = await heard(t, server, () => post(t, server, 'a', '{"a":1}', { headers: { 'content-type': type } }));
    assert.equal(events[0].data, '{"a":1}', type);
  }
});

test('event and retry as query parameters', async (t) => {
  const server = await serve(t);
  const { events } = await heard(t, server, () => post(t, server, 'a', 'x', { event: 'price', retry: '2500' }));
  assert.equal(events[0].event, 'price');
  assert.equal(events[0].retry, 2500);
});

test('an id of the publisher is what subscribers see', async (t) => {
  const server = await serve(t);
  const { result, events } = await heard(t, server, () => post(t, server, 'a', 'x', { id: 'order-17/b' }));
  assert.equal(result.json().id, 'order-17/b');
  assert.equal(events[0].id, 'order-17/b');
});

test('an id that looks like one of freshet\'s own is refused', async (t) => {
  const server = await serve(t);
  assertProblem(await post(t, server, 'a', 'x', { id: '123-4' }), 400);
  assertProblem(await postJson(t, server, { topic: 'a', data: 'x', id: '0-0' }), 400);
});

test('CR, LF and NUL in an id or a type are refused', async (t) => {
  const server = await serve(t);
  for (const bad of ['a\rb', 'a\nb', 'a\r\nb', 'a\0b', '\n\ndata: evil']) {
    assertProblem(await post(t, server, 'a', 'x', { id: bad }), 400);
    assertProblem(await post(t, server, 'a', 'x', { event: bad }), 400);
    assertProblem(await postJson(t, server, { topic: 'a', data: 'x', id: bad }), 400);
    assertProblem(await postJson(t, server, { topic: 'a', data: 'x', event: bad }), 400);
  }
});

test('CR, LF and CRLF in data become line breaks, and never an event', async (t) => {
  const server = await serve(t);
  const data = 'a\rb\nc\r\nd\n\nid: 9\revent: evil\r\rdata: evil\n';
  const { events } = await heard(t, server, () => post(t, server, 'a', data));
  assert.equal(events.length, 1);
  assert.equal(events[0].data, data.replace(/\r\n?/g, '\n'));
});

test('NUL in data passes unchanged', async (t) => {
  const server = await serve(t);
  const { events } = await heard(t, server, () => post(t, server, 'a', 'a\0b'));
  assert.equal(events[0].data, 'a\0b');
});

test('data that is not UTF-8 is refused', async (t) => {
  const server = await serve(t);
  const broken = [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0x61, 0xe2, 0x82, 0x0a]];
  for (const bytes of broken) {
    assertProblem(await post(t, server, 'a', Buffer.from(bytes)), 400);
    const json = Buffer.concat([Buffer.from('{"topic":"a","data":"'), Buffer.from(bytes), Buffer.from('"}')]);
    assertProblem(await postJson(t, server, json), 400);
  }
});

test('types that start with freshet. are reserved', async (t) => {
  const server = await serve(t);
  assertProblem(await post(t, server, 'a', 'x', { event: 'freshet.gap' }), 400);
  assertProblem(await postJson(t, server, { topic: 'a', data: 'x', event: 'freshet.anything' }), 400);
  assert.equal((await post(t, server, 'a', 'x', { event: 'freshetish' })).status, 200);
});

test('retry must be digits', async (t) => {
  const server = await serve(t);
  for (const retry of ['-1', '1.5', '1s', '+1', '']) {
    assertProblem(await post(t, server, 'a', 'x', { retry }), 400);
  }
});

test('a publish to a pattern is refused', async (t) => {
  const server = await serve(t);
  for (const topic of ['*', '**', 'a/*', 'a/**', '*/b']) {
    assertProblem(await postJson(t, server, { topic, data: 'x' }), 400);
    assertProblem(await request(t, server, { method: 'POST', path: `/events/${topic}`, body: 'x' }), 400);
  }
});

test('a JSON object', async (t) => {
  const server = await serve(t);
  const event = { topic: 'a', data: 'x', event: 'tick', id: 'mine', retry: 100 };
  const { result, events } = await heard(t, server, () => postJson(t, server, event));
  assert.deepEqual(result.json(), { id: 'mine' });
  assert.deepEqual(events, [{ event: 'tick', id: 'mine', retry: 100, data: 'x' }]);
});

test('data of JSON that is not a string is sent compact', async (t) => {
  const server = await serve(t);
  const text = '{"topic":"a","data": { "b" : [ 1.50, true, null , "\\u00e9\\n" ], "a": {} } }';
  const { events } = await heard(t, server, () => postJson(t, server, text));
  assert.doesNotMatch(events[0].data, /\n|: | ,|, /);
  assert.deepEqual(JSON.parse(events[0].data), { b: [1.5, true, null, 'é\n'], a: {} });
});

test('null, numbers and booleans are data too', async (t) => {
  const server = await serve(t);
  const values = [null, 17, false];
  const { events } = await heard(t, server, () => postJson(t, server, values.map((data) => ({ topic: 'a', data }))));
  assert.deepEqual(events.map((event) => event.data), ['null', '17', 'false']);
});

test('a JSON array answers item by item and keeps its order', async (t) => {
  const server = await serve(t);
  const batch = [...Array(100).keys()].map((i) => ({ topic: i % 2 ? 'odd' : 'even', data: String(i) }));
  const { result, events } = await heard(t, server, () => postJson(t, server, batch));
  const ids = result.json().map((item) => item.id);
  assertRising(ids);
  assert.deepEqual(events.map((event) => event.id), ids);
  assert.deepEqual(events.map((event) => event.data), batch.map((event) => event.data));
});

test('a bad item of a batch stops only itself', async (t) => {
  const server = await serve(t);
  const batch = [{ topic: 'a', data: '1' }, { topic: '*', data: 'x' }, { data: 'no topic' }, 17, { topic: 'a', data: '2' }];
  const { result, events } = await heard(t, server, () => postJson(t, server, batch));
  const answers = result.json();
  assert.equal(answers.length, 5);
  for (const answer of answers.slice(1, 4)) {
    assert.equal(answer.status, 400);
    assert.equal(typeof answer.error, 'string');
    assert.equal(answer.id, undefined);
  }
  assert.deepEqual(events.map((event) => event.data), ['1', '2']);
  assert.deepEqual(events.map((event) => event.id), [answers[0].id, answers[4].id]);
});

test('an empty batch publishes nothing', async (t) => {
  const server = await serve(t);
  const { result, events } = await heard(t, server, () => postJson(t, server, []));
  assert.deepEqual([result.status, result.json(), events], [200, [], []]);
});

test('NDJSON, with blank lines, CRLF and no newline at the end', async (t) => {
  const server = await serve(t);
  const text = '{"topic":"a","data":"1"}\n\n{"topic":"a","data":"2"}\r\nbroken\n{"topic":"a","data":"3"}';
  const { result, events } = await heard(t, server, () => postJson(t, server, text, 'application/x-ndjson'));
  assert.deepEqual(events.map((event) => event.data), ['1', '2', '3']);
  assert.deepEqual(result.json().map((item) => item.status), [undefined, undefined, 400, undefined]);
});

test('a topics array publishes one event with one id', async (t) => {
  const server = await serve(t);
  const a = await subscribe(t, server, '/events/a');
  const b = await subscribe(t, server, '/events/b');
  const { id } = (await postJson(t, server, { topics: ['a', 'b'], data: 'x' })).json();
  assert.equal((await a.next()).id, id);
  assert.equal((await b.next()).id, id);
});

test('an event without a topic is refused', async (t) => {
  const server = await serve(t);
  assertProblem(await postJson(t, server, { data: 'x' }), 400);
  assertProblem(await postJson(t, server, { topics: [], data: 'x' }), 400);
  assertProblem(await postJson(t, server, { topics: 'a', data: 'x' }), 400);
  assertProblem(await postJson(t, server, { topic: '', data: 'x' }), 400);
});

test('JSON that is not JSON is refused with a sentence', async (t) => {
  const server = await serve(t);
  for (const text of ['', '{', '{"topic":"a","data":"x"} trailing', '"string"', '{"topic":"a",}', "{'topic':'a'}", '[1']) {
    assertProblem(await postJson(t, server, text), 400);
  }
});

test('JSON nested without end is refused and does not fell the server', async (t) => {
  const server = await serve(t);
  assertProblem(await postJson(t, server, '['.repeat(100_000)), 400);
  assertProblem(await postJson(t, server, `{"topic":"a","data":${'{"a":'.repeat(100_000)}`), 400);
  assert.ok(await publish(t, server, 'a', 'alive'));
});

test('fields of the wrong kind are refused', async (t) => {
  const server = await serve(t);
  const wrong = [{ topic: 1 }, { event: 1 }, { id: 1 }, { id: {} }, { retry: 'soon' }, { retry: -1 }, { retry: 1.5 }, { event: null, id: [] }];
  for (const fields of wrong) {
    assertProblem(await postJson(t, server, { topic: 'a', data: 'x', ...fields }), 400);
  }
});

test('POST /events takes what curl -d says, and refuses other types', async (t) => {
  const server = await serve(t);
  const body = '{"topic":"a","data":"x"}';
  for (const type of ['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/x-www-form-urlencoded']) {
    assert.equal((await postJson(t, server, body, type)).status, 200, type);
  }
  const response = await request(t, server, { method: 'POST', path: '/events', body });
  assert.equal(response.status, 200);
  assertProblem(await postJson(t, server, body, 'text/csv'), 415);
  assertProblem(await postJson(t, server, body, 'image/png'), 415);
});

// A publisher that pipes an event stream: chunk by chunk, on a socket of its own.
async function pipe(t, server, topic = 'a') {
  const socket = await connect(t, server);
  socket.send(`POST /events/${topic} HTTP/1.1\r\nHost: h\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n`);
  return {
    socket,
    write: async (text) => {
      await socket.send(Buffer.concat([Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n`), Buffer.from(text), Buffer.from('\r\n')]));
    },
    end: () => socket.send('0\r\n\r\n').then(() => socket.readResponse()),
  };
}

test('an event-stream body is published as it arrives', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const publisher = await pipe(t, server);
  for (const word of ['one', 'two', 'three']) {
    publisher.write(`event: word\ndata: ${word}\n\n`);
    const event = await stream.next();
    assert.deepEqual([event.event, event.data], ['word', word]);
  }
  const response = await publisher.end();
  assert.equal(response.status, 200, response.body);
  assert.equal(response.json().published, 3);
  assert.match(response.json().id, /^\d+-\d+$/);
});

test('an event-stream body may be cut anywhere', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const publisher = await pipe(t, server);
  for (const byte of Buffer.from('\ufeff: hello\r\nid: mine\r\nevent: e\r\ndata: é\r\ndata: 2\r\n\r\ndata\n\n').values()) {
    await publisher.write(Buffer.from([byte]));
  }
  assert.equal((await publisher.end()).json().published, 2);
  const [first, second] = await stream.take(2);
  assert.deepEqual([first.id, first.event, first.data], ['mine', 'e', 'é\n2']);
  assert.deepEqual([second.event, second.data], ['message', '']);
});

test('the unfinished event at the end of a body is not published', async (t) => {
  const server = await serve(t);
  const { result, events } = await heard(t, server, () =>
    post(t, server, 'a', 'data: whole\n\ndata: part\n', { headers: { 'content-type': 'text/event-stream' } }));
  assert.equal(result.json().published, 1);
  assert.deepEqual(events.map((event) => event.data), ['whole']);
});

test('an event-stream body with a length', async (t) => {
  const server = await serve(t);
  const { result, events } = await heard(t, server, () =>
    post(t, server, 'a', 'data: 1\n\ndata: 2\n\n', { headers: { 'content-type': 'text/event-stream; charset=utf-8' } }));
  assert.equal(result.json().published, 2);
  assert.equal(result.json().id, events[1].id);
});

test('ids of an event-stream body that look like freshet\'s own are replaced', async (t) => {
  const server = await serve(t);
  const { events } = await heard(t, server, () =>
    post(t, server, 'a', 'id: 5-1\ndata: 1\n\n', { headers: { 'content-type': 'text/event-stream' } }));
  assert.notEqual(events[0].id, '5-1');
  assert.ok(order(events[0].id));
});

test('control events of another freshet are not passed on', async (t) => {
  const server = await serve(t);
  const { events } = await heard(t, server, () =>
    post(t, server, 'a', 'event: freshet.gap\ndata: {}\n\ndata: 1\n\n', { headers: { 'content-type': 'text/event-stream' } }));
  assert.ok(events.every((event) => !event.event.startsWith('freshet.')), JSON.stringify(events));
});

test('a chunked raw body', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n');
  assert.equal((await socket.readResponse()).status, 200);
  assert.equal((await stream.next()).data, 'hello world');
});

test('Expect: 100-continue gets its 100 before the body', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  assert.equal((await socket.readHead()).status, 100);
  socket.send('hello');
  assert.equal((await socket.readResponse()).status, 200);
});

test('Expect: 100-continue with a body too large gets 413 instead', async (t) => {
  const server = await serve(t, ['--max-body', '1k']);
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n');
  assert.equal((await socket.readHead()).status, 413);
});

test('an unknown expectation is 417', async (t) => {
  const server = await serve(t);
  const response = await post(t, server, 'a', 'x', { headers: { expect: 'miracles' } });
  assertProblem(response, 417);
});

test('keep-alive: many publishes on one connection', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  const ids = [];
  for (let i = 0; i < 50; i++) {
    socket.send(`POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx`);
    ids.push((await socket.readResponse()).json().id);
  }
  assertRising(ids);
});

test('pipelined publishes are answered in order', async (t) => {
  const server = await serve(t);
  const stream = await subscribe(t, server, '/events/a');
  const socket = await connect(t, server);
  const requests = [...Array(100).keys()].map((i) => `POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: ${String(i).length}\r\n\r\n${i}`);
  socket.send(requests.join(''));
  const ids = [];
  for (let i = 0; i < 100; i++) {
    ids.push((await socket.readResponse()).json().id);
  }
  assertRising(ids);
  const events = await stream.take(100);
  assert.deepEqual(events.map((event) => event.data), [...Array(100).keys()].map(String));
  assert.deepEqual(events.map((event) => event.id), ids);
});

test('a request that follows an error that was read whole is still answered', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  socket.send('POST /events/* HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx');
  assert.equal((await socket.readResponse()).status, 400);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx');
  assert.equal((await socket.readResponse()).status, 200);
});

test('Connection: close is honoured', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  socket.send('POST /events/a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx');
  const response = await socket.readResponse();
  assert.equal(response.headers.connection, 'close');
  assert.equal(await socket.readToEnd(), '');
});

test('HTTP/1.0 publishes and is closed', async (t) => {
  const server = await serve(t);
  const response = await request(t, server, { method: 'POST', path: '/events/a', version: '1.0', body: 'x', headers: { connection: undefined } });
  assert.equal(response.status, 200);
});

test('ids rise across a restart', async (t) => {
  const first = await serve(t);
  const before = await publish(t, first, 'a', 'x');
  await first.stop();
  const second = await serve(t);
  const after = await publish(t, second, 'a', 'x');
  assert.ok(order(before) < order(after));
});

test('CORS applies to publishing too', async (t) => {
  const server = await serve(t, ['--cors-origin', 'https://app.example']);
  const response = await post(t, server, 'a', 'x', { headers: { origin: 'https://app.example' } });
  assert.equal(response.headers['access-control-allow-origin'], 'https://app.example');
});
