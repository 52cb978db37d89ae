// HTTP/2 as no good client speaks it: floods, bombs, and requests that could be read in two ways. Every flood ends with
// GOAWAY ENHANCE_YOUR_CALM, a counter, and a server that serves everybody else.

import assert from 'node:assert/strict';
import { connect, limitHits, metric, post, publisher, request as requestH1, serve, subscribe, test, until, untilSubscribers } from './harness/index.mjs';
import {
  codes, connectFrames, field, flags, frame, head, number, preface, request, settings, types,
} from './harness/h2.mjs';

async function assertCalmed(t, server, h2) {
  assert.equal(await h2.goaway(), codes.ENHANCE_YOUR_CALM);
  await h2.waitEnded();
  assert.equal(await limitHits(t, server, 'http2-flood'), 1);
}

const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));

const floods = {
  'of PING': () => many(3000, () => frame(types.PING, 0, 0, Buffer.alloc(8))),
  'of SETTINGS': () => many(3000, () => settings([[4, 65535]])),
  'of PRIORITY': () => many(3000, (i) => frame(types.PRIORITY, 0, 1 + 2 * (i % 100), Buffer.concat([number(0), Buffer.from([9])]))),
  'of WINDOW_UPDATE': () => many(3000, () => frame(types.WINDOW_UPDATE, 0, 0, number(1))),
  'of frames of no known type': () => many(3000, () => frame(0xbb, 0, 0, Buffer.alloc(3))),
  'of empty DATA': () => [
    request(1, '/events/a', { method: 'POST', end: false, extra: [['content-type', 'text/event-stream']] }),
    ...many(3000, () => frame(types.DATA, 0, 1)),
  ],
  'of DATA that is padding': () => [
    request(1, '/events/a', { method: 'POST', end: false, extra: [['content-type', 'text/event-stream']] }),
    ...many(3000, () => frame(types.DATA, flags.PADDED, 1, Buffer.from([3, 0, 0, 0]))),
  ],
  'of resets (rapid reset)': () => many(450, (i) => Buffer.concat([
    request(1 + 2 * i, '/events/a'), frame(types.RST_STREAM, 0, 1 + 2 * i, number(codes.CANCEL)),
  ])),
  'of resets that the server is made to send': () => many(450, (i) => Buffer.concat([
    request(1 + 2 * i, '/events/a'), frame(types.WINDOW_UPDATE, 0, 1 + 2 * i, number(0x7fffffff)),
  ])),
  'of malformed requests': () => many(600, (i) => request(1 + 2 * i, '/events/a', { extra: [['connection', 'close']] })),
  'of CONTINUATION': () => [
    frame(types.HEADERS, flags.END_STREAM, 1, head()), ...many(3000, () => frame(types.CONTINUATION, 0, 1)),
  ],
  'of CONTINUATION with fields': () => [
    frame(types.HEADERS, flags.END_STREAM, 1, head()),
    ...many(300, () => frame(types.CONTINUATION, 0, 1, field('x', 'y'.repeat(1000)))),
  ],
  'of fields that unpack to much': () => [
    frame(types.HEADERS, flags.END_STREAM | flags.END_HEADERS, 1,
      Buffer.concat([head(), field('x', 'y'.repeat(3000), 0x40), Buffer.alloc(8000, 0xbe)])),
  ],
  'of small fields': () => [
    frame(types.HEADERS, flags.END_STREAM | flags.END_HEADERS, 1, Buffer.concat([head(), ...many(2000, () => field('x', ''))])),
  ],
};

for (const [name, make] of Object.entries(floods)) {
  test(`a flood ${name}`, async (t) => {
    const server = await serve(t);
    const listener = await subscribe(t, server, '/events/a');
    const h2 = await connectFrames(t, server);
    const frames = make();
    // Streams that are reset count until the server has said so: a hundred at a time.
    const step = name.includes('reset') || name.includes('malformed') ? 100 : frames.length;
    for (let at = 0; at < frames.length && h2.said === undefined && !h2.ended; at += step) {
      h2.send(...frames.slice(at, at + step));
      if (step < frames.length) {
        await h2.ping().catch(() => {});
      }
    }
    await assertCalmed(t, server, h2);
    await untilSubscribers(t, server, 1);
    assert.equal((await post(t, server, 'a', 'x')).status, 200);
    assert.equal((await listener.next()).data, 'x');
  });
}

test('a flood of PING by a peer that reads nothing', async (t) => {
  const server = await serve(t);
  const h2 = await connectFrames(t, server);
  h2.socket.pause();
  h2.send(...many(20_000, () => frame(types.PING, 0, 0, Buffer.alloc(8))));
  await until(() => limitHits(t, server, 'http2-flood'), 'the flood is noticed');
});

test('what works is no flood: thousands of requests, resets of streams that delivered', async (t) => {
  const server = await serve(t);
  const h2 = await connectFrames(t, server);
  let id = 1;
  for (let round = 0; round < 20; round++) {
    const last = id + 198;
    h2.send(...many(100, () => request(id += 2, '/healthz')));
    await h2.until((f) => f.type === types.DATA && f.id >= last && f.flags & flags.END_STREAM, 'the last answer');
    h2.send(frame(types.WINDOW_UPDATE, 0, 0, number(1000)));
  }
  for (let i = 0; i < 700; i++) {
    h2.send(request(id += 2, '/events/a'));
    await h2.frame(types.DATA, id);
    h2.send(frame(types.RST_STREAM, 0, id, number(codes.CANCEL)));
  }
  await h2.ping();
  assert.equal(await limitHits(t, server, 'http2-flood'), 0);
});

test('--max-streams: one too many is refused', async (t) => {
  const server = await serve(t, ['--max-streams', '3']);
  const h2 = await connectFrames(t, server);
  h2.send(...[1, 3, 5].map((id) => request(id, '/events/a')));
  await h2.ping();
  h2.send(request(7, '/events/a'));
  assert.equal(await h2.goaway(), codes.PROTOCOL_ERROR);
  assert.equal(await limitHits(t, server, 'max-streams'), 1);
});

test('--header-timeout: a head that does not end', async (t) => {
  const server = await serve(t, ['--header-timeout', '200ms']);
  const h2 = await connectFrames(t, server);
  h2.send(frame(types.HEADERS, flags.END_STREAM, 1, head()));
  assert.equal(await h2.goaway(), codes.ENHANCE_YOUR_CALM);
  assert.equal(await limitHits(t, server, 'header-timeout'), 1);
});

test('--body-timeout: a body that does not come is 408, and the connection lives on', async (t) => {
  const server = await serve(t, ['--body-timeout', '200ms']);
  const h2 = await connectFrames(t, server);
  h2.send(request(1, '/events/a', { method: 'POST', end: false, extra: [['content-length', '10']] }));
  await h2.frame(types.HEADERS, 1);
  assert.equal(await limitHits(t, server, 'body-timeout'), 1);
  await h2.ping();
});

test('an answer that is not read in time is reset', async (t) => {
  const server = await serve(t, ['--body-timeout', '200ms']);
  const h2 = await connectFrames(t, server, { first: [[4, 0]] });
  h2.send(request(1, '/healthz'));
  assert.equal(await h2.reset(1), codes.CANCEL);
});

test('bodies gathered at the same time are bounded', async (t) => {
  const server = await serve(t, ['--max-body', '16k']);
  const h2 = await connectFrames(t, server);
  const ids = many(10, (i) => 1 + 2 * i);
  h2.send(...ids.map((id) => request(id, '/events/a', { method: 'POST', end: false })));
  h2.send(...ids.map((id) => frame(types.DATA, 0, id, Buffer.alloc(12_000, 'x'))));
  await h2.frame(types.HEADERS, ids.at(-1)); // refused, while the first wait for more
  assert.ok(await limitHits(t, server, 'max-body') >= 4);
  h2.send(frame(types.DATA, flags.END_STREAM, 1, Buffer.from('y')));
  await h2.frame(types.HEADERS, 1);
});

test('answers that nobody reads are bounded', async (t) => {
  const server = await serve(t, ['--max-streams', '200']);
  const send = await publisher(t, server, 'a');
  for (let i = 0; i < 12; i++) {
    await send('x'.repeat(10_000));
  }
  const h2 = await connectFrames(t, server, { first: [[4, 0]] });
  const ids = many(60, (i) => 1 + 2 * i);
  h2.send(...ids.map((id) => request(id, '/events/a?last=10', { extra: [['accept', 'application/json']] })));
  assert.equal((await h2.frame(types.RST_STREAM)).payload.readUInt32BE(0), codes.ENHANCE_YOUR_CALM);
});

test('the windows of a stream and of the connection are kept to, to the byte', async (t) => {
  const server = await serve(t);
  const h2 = await connectFrames(t, server, { first: [[4, 1000]] });
  h2.send(request(1, '/events/a'), request(3, '/events/a'));
  await untilSubscribers(t, server, 2);
  assert.equal((await post(t, server, 'a', 'x'.repeat(100_000))).status, 200);
  const got = { 1: 0, 3: 0 };
  const receive = async (total) => {
    while (got[1] + got[3] < total) {
      const { id, payload } = await h2.frame(types.DATA);
      got[id] += payload.length;
    }
    await h2.ping();
    assert.ok(!h2.frames.some((f) => f.type === types.DATA), 'no more than the windows let through');
  };
  await receive(2000);
  assert.deepEqual(got, { 1: 1000, 3: 1000 });
  h2.send(frame(types.WINDOW_UPDATE, 0, 1, number(500)));
  await receive(2500);
  assert.deepEqual(got, { 1: 1500, 3: 1000 });
  h2.send(settings([[4, 1 << 20]])); // now the connection's window is the limit
  await receive(65535);
  assert.equal(got[1] + got[3], 65535);
  h2.send(frame(types.WINDOW_UPDATE, 0, 0, number(1 << 20)));
  await receive(200_000);
});

const malformed = {
  'a connection header': { extra: [['connection', 'keep-alive']] },
  'transfer-encoding': { extra: [['transfer-encoding', 'chunked']] },
  'te that is not trailers': { extra: [['te', 'gzip']] },
  'an upper-case name': { extra: [['X-A', '1']] },
  'a line end in a value': { extra: [['x', 'a\r\nb: c']] },
  'a NUL in a value': { extra: [['x', 'a\0b']] },
  'a blank in a name': { extra: [['x y', '1']] },
  'two paths': { extra: [[':path', '/events/b']] },
  'a pseudo-header field after others': { extra: [['x', '1'], [':path', '/b']] },
  'no authority': { authority: null },
  'a length that is no number': { extra: [['content-length', '1x']] },
};

for (const [name, options] of Object.entries(malformed)) {
  test(`refused by a reset: ${name}`, async (t) => {
    const server = await serve(t);
    const h2 = await connectFrames(t, server);
    h2.send(request(1, '/events/a', options));
    assert.equal(await h2.reset(1), codes.PROTOCOL_ERROR);
    await h2.ping();
  });
}

// The status is the first field of the answer, behind what sets the size of the table: one byte where the fixed table
// has it.
function statusOf(payload) {
  let at = 0;
  if ((payload[0] & 0xe0) === 0x20) {
    at = payload.findIndex((byte, i) => i > 0 && byte < 0x80) + 1;
  }
  return { 0x88: 200, 0x8c: 400, 0x8d: 404, 0x8e: 500 }[payload[at]] ?? `another: ${payload.toString('hex')}`;
}

const refused = {
  'a blank in the path': ['/events/a b HTTP/1.1', {}],
  'a fragment in the path': ['/events/a#b', {}],
  'a whole URL as the path': ['http://h/events/a', {}],
  'a blank in the method': ['/events/a', { method: 'GET /x' }],
  'a host that is none': ['/events/a', { authority: 'a b' }],
  'a list of hosts': ['/events/a', { authority: 'a,b' }],
  'a host that differs from the authority': ['/events/a', { extra: [['host', 'other']] }],
  'a padded length': ['/events/a', { extra: [['content-length', '00']] }],
};

for (const [name, [path, options]] of Object.entries(refused)) {
  test(`refused with 400, or by a reset: ${name}`, async (t) => {
    const server = await serve(t);
    const h2 = await connectFrames(t, server);
    h2.send(request(1, path, options));
    const answer = await h2.until((f) => f.id === 1, 'an answer');
    if (answer.type === types.RST_STREAM) {
      assert.equal(answer.payload.readUInt32BE(0), codes.PROTOCOL_ERROR);
    } else {
      assert.equal(statusOf(answer.payload), 400);
    }
    await untilSubscribers(t, server, 0);
  });
}

test('a body longer or shorter than its length is a stream error, and is not published', async (t) => {
  const server = await serve(t);
  const listener = await subscribe(t, server, '/events/a');
  const h2 = await connectFrames(t, server);
  const upload = (id, length) => request(id, '/events/a', { method: 'POST', end: false, extra: [['content-length', length]] });
  h2.send(upload(1, '3'), frame(types.DATA, flags.END_STREAM, 1, Buffer.from('four')));
  assert.equal(await h2.reset(1), codes.PROTOCOL_ERROR);
  h2.send(upload(3, '9'), frame(types.DATA, flags.END_STREAM, 3, Buffer.from('four')));
  assert.equal(await h2.reset(3), codes.PROTOCOL_ERROR);
  h2.send(upload(5, '4'), frame(types.DATA, flags.END_STREAM, 5, Buffer.from('good')));
  assert.equal((await listener.next()).data, 'good');
  listener.assertQuiet();
});

test('the preface byte by byte, and a request in crumbs', async (t) => {
  const server = await serve(t);
  const h2 = await connectFrames(t, server, { silent: true });
  h2.socket.socket.setNoDelay(true);
  for (const byte of Buffer.concat([Buffer.from(preface), settings([]), request(1, '/healthz')])) {
    await h2.socket.send(Buffer.from([byte]));
  }
  assert.equal((await h2.frame(types.DATA, 1)).payload.toString(), 'ok\n');
});

test('the preface with requests right behind it', async (t) => {
  const server = await serve(t);
  const h2 = await connectFrames(t, server, { silent: true });
  h2.send(Buffer.from(preface), settings([]), ...many(50, (i) => request(1 + 2 * i, '/healthz')));
  await h2.frame(types.DATA, 99);
});

test('a preface that goes wrong, and one after a request, are refused', async (t) => {
  const server = await serve(t);
  const wrong = await connectFrames(t, server, { silent: true });
  await wrong.socket.send('PRI * HTTP/2.0\r\n\r\n');
  await until(() => metric(t, server, 'freshet_connections'), 'it has been read');
  wrong.send(Buffer.from('XX\r\n\r\n'));
  await wrong.waitEnded();
  const whole = await connect(t, server);
  whole.send('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n');
  assert.equal((await whole.readResponse()).status, 505);
  const late = await connect(t, server);
  late.send('GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal((await late.readResponse()).status, 200);
  late.send(preface);
  assert.equal((await late.readResponse()).status, 505);
  assert.equal((await requestH1(t, server, { path: '/healthz' })).status, 200);
});
