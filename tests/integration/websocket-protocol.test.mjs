// The protocol, case by case, with a client that breaks it: fragments, control frames between them, UTF-8, lengths,
// closes. What a client says is answered, so an answer is the proof that a message was read.

import assert from 'node:assert/strict';
import { limitHits, metric, publish, serve, slow, test, untilSubscribers } from './harness/index.mjs';
import { closePayload, frame, openWebSocket, opcodes, withoutWebSocket } from './harness/ws.mjs';

const { CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG } = opcodes;
const skip = await withoutWebSocket();
const message = (ref, data = 'x', topic = 'elsewhere') => JSON.stringify({ ref, publish: { topic, data } });

// Opens one, does something, and expects the close with its code; then the end of the connection.
async function expectClose(t, server, code, ...parts) {
  const client = await openWebSocket(t, server, '/events/a');
  client.send(...parts);
  const { code: got, reason } = await client.closed();
  assert.equal(got, code, reason);
  client.send(frame(CLOSE, closePayload(code)));
  await client.waitEnded();
  return reason;
}

async function expectAnswer(client, ref) {
  const answer = await client.answer();
  assert.equal(answer.ref, ref, JSON.stringify(answer));
  assert.ok(answer.published.id, JSON.stringify(answer));
}

test('messages come whole, in fragments, and byte by byte', { skip }, async (t) => {
  const server = await serve(t);
  const client = await openWebSocket(t, server, '/events/a');
  client.send(frame(TEXT, message(1)));
  await expectAnswer(client, 1);
  const text = Buffer.from(message(2, 'fünf €, 😀'));
  for (const size of [1, 7, 40]) {
    const parts = [];
    for (let at = 0; at < text.length; at += size) {
      parts.push(frame(at ? CONTINUATION : TEXT, text.subarray(at, at + size), { fin: at + size >= text.length }));
    }
    client.send(...parts);
    await expectAnswer(client, 2);
  }
  const bytes = frame(TEXT, message(3));
  for (const byte of bytes) {
    await client.socket.send(Buffer.from([byte]));
  }
  await expectAnswer(client, 3);
  client.send(frame(TEXT, message(4).slice(0, 10), { fin: false }), frame(CONTINUATION, '', { fin: false }),
    frame(CONTINUATION, message(4).slice(10)), frame(TEXT, message(5)));
  await expectAnswer(client, 4);
  await expectAnswer(client, 5);
});

test('messages of every size of length, up to the limit', { skip }, async (t) => {
  const server = await serve(t, ['--max-body', '100k']);
  const client = await openWebSocket(t, server, '/events/a');
  const overhead = message(0, '').length;
  for (const size of [overhead, 125, 126, 127, 4096, 65535, 65536, 100 * 1024]) {
    client.send(frame(TEXT, message(0, 'x'.repeat(size - overhead))));
    await expectAnswer(client, 0);
  }
  await expectClose(t, server, 1009, frame(TEXT, 'x'.repeat(100 * 1024 + 1)));
  await expectClose(t, server, 1009, frame(TEXT, 'x'.repeat(60_000), { fin: false }), frame(CONTINUATION, 'x'.repeat(60_000)));
  await expectClose(t, server, 1009, frame(TEXT, 'x', { length: 2 ** 40 }));
  assert.equal(await limitHits(t, server, 'max-body'), 3);
});

test('a ping is answered with its payload, also inside a message', { skip }, async (t) => {
  const server = await serve(t);
  const client = await openWebSocket(t, server, '/events/a');
  for (const payload of ['', 'hello', Buffer.from([0, 0xff, 0xfe]), 'x'.repeat(125)]) {
    client.send(frame(PING, payload));
    assert.deepEqual(await client.frame(PONG), Buffer.from(payload));
  }
  const text = message('with pings');
  client.send(frame(TEXT, text.slice(0, 5), { fin: false }), frame(PING, 'one'), frame(PONG, 'nobody asked'),
    frame(CONTINUATION, text.slice(5, 9), { fin: false }), frame(PING, 'two'), frame(CONTINUATION, text.slice(9)));
  assert.equal(String(await client.frame(PONG)), 'one');
  assert.equal(String(await client.frame(PONG)), 'two');
  await expectAnswer(client, 'with pings');
  client.send(...Array.from({ length: 10 }, (_, i) => frame(PING, `ping ${i}`)));
  for (let i = 0; i < 10; i++) {
    assert.equal(String(await client.frame(PONG)), `ping ${i}`);
  }
});

test('what breaks the framing is a protocol error', { skip }, async (t) => {
  const server = await serve(t);
  const cases = {
    'not masked': [frame(TEXT, message(1), { masked: false })],
    'a reserved bit': [frame(TEXT, message(1), { reserved: 4 })],
    'another reserved bit, in a ping': [frame(PING, '', { reserved: 1 })],
    'a reserved opcode': [frame(3, 'x')],
    'a reserved control opcode': [frame(11, 'x')],
    'a ping in fragments': [frame(PING, 'x', { fin: false })],
    'a long ping': [frame(PING, 'x'.repeat(126))],
    'a close that is too long': [frame(CLOSE, closePayload(1000, 'x'.repeat(124)))],
    'a fragment of nothing': [frame(CONTINUATION, 'x')],
    'a message inside another': [frame(TEXT, 'x', { fin: false }), frame(TEXT, 'y')],
    'a length of 16 bits that fits in 7': [Buffer.concat([Buffer.from([0x81, 0xfe, 0, 5]), Buffer.alloc(9)])],
    'a length of 64 bits that fits in 16': [Buffer.concat([Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 5]), Buffer.alloc(9)])],
    'a negative length': [Buffer.concat([Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), Buffer.alloc(5)])],
  };
  for (const [name, parts] of Object.entries(cases)) {
    const reason = await expectClose(t, server, 1002, ...parts);
    assert.ok(reason.length > 5, `${name} is told why: ${reason}`);
  }
  await expectClose(t, server, 1003, frame(BINARY, message(1)));
});

test('text that is not UTF-8 is refused, where it stops being it', { skip }, async (t) => {
  const server = await serve(t);
  const bad = [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xe2, 0x82]];
  for (const bytes of bad) {
    await expectClose(t, server, 1007, frame(TEXT, Buffer.from(bytes)));
  }
  await expectClose(t, server, 1007, frame(TEXT, Buffer.from([0x61, 0xf0, 0x9f]), { fin: false }), frame(CONTINUATION, Buffer.from([0x41]), { fin: false }));
  await expectClose(t, server, 1007, frame(TEXT, Buffer.from([0xe2, 0x82]), { fin: false }), frame(CONTINUATION, ''));
});

test('a close is answered in kind', { skip }, async (t) => {
  const server = await serve(t);
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999]) {
    await expectClose(t, server, code, frame(CLOSE, closePayload(code, 'grüße')));
  }
  await expectClose(t, server, undefined, frame(CLOSE));
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535]) {
    await expectClose(t, server, 1002, frame(CLOSE, closePayload(code)));
  }
  await expectClose(t, server, 1002, frame(CLOSE, 'x'));
  await expectClose(t, server, 1007, frame(CLOSE, Buffer.concat([closePayload(1000), Buffer.from([0xff])])));
  await expectClose(t, server, 1000, frame(TEXT, 'unfinished', { fin: false }), frame(CLOSE, closePayload(1000)));
});

test('nothing behind a close counts', { skip }, async (t) => {
  const server = await serve(t);
  const listener = await openWebSocket(t, server, '/events/a');
  await expectClose(t, server, 1000, frame(CLOSE, closePayload(1000)), frame(PING, 'late'), frame(TEXT, message(1, 'late', 'a')));
  await publish(t, server, 'a', 'next');
  assert.equal((await listener.json()).data, 'next');
});

test('the last word arrives although the client talks on', { skip }, async (t) => {
  const server = await serve(t);
  for (let i = 0; i < 5; i++) {
    const client = await openWebSocket(t, server, '/events/a');
    client.send(frame(TEXT, 'x', { masked: false }), Buffer.alloc(150_000));
    assert.equal((await client.closed()).code, 1002);
    client.send(Buffer.alloc(50_000));
    await client.waitEnded();
    assert.equal(client.socket.error, undefined, 'the end of the stream, not a reset');
  }
});

test('a client that leaves without a word leaves nothing behind', { skip }, async (t) => {
  const server = await serve(t);
  const leave = [(client) => client.socket.close(), (client) => client.socket.halfClose(), (client) => client.socket.reset()];
  for (const go of leave) {
    const client = await openWebSocket(t, server, '/events/a');
    client.send(frame(TEXT, 'half a mess', { fin: false }));
    go(client);
  }
  await untilSubscribers(t, server, 0);
});

test('a flood of pings costs the server no memory, and one whose answers are not read is ended', { skip, timeout: 120_000 }, async (t) => {
  const server = await serve(t, ['--socket-buffer', '16k']);
  const client = await openWebSocket(t, server, '/events/a');
  const flood = Buffer.concat(Array.from({ length: 2000 }, () => frame(PING, 'x'.repeat(125))));
  client.socket.pause();
  const before = server.memory();
  // Twenty megabytes of them: what the kernel holds of the answers is far less.
  const gone = new Promise((resolve) => client.socket.socket.once('close', resolve));
  for (let i = 0; i < 80 && !client.ended; i++) {
    await Promise.race([client.socket.send(flood), gone]);
  }
  await untilSubscribers(t, server, 0);
  assert.equal(await limitHits(t, server, 'websocket-unread'), 1);
  if (slow === 1 && before !== undefined) {
    assert.ok(server.memory() - before < 8 * 1024 * 1024);
  }
});

test('a message that does not come to an end is given up', { skip }, async (t) => {
  const server = await serve(t, ['--body-timeout', '300ms', '--heartbeat', '0']);
  await expectClose(t, server, 1008, frame(TEXT, '{"publish"', { fin: false }));
  await expectClose(t, server, 1008, frame(TEXT, message(1)).subarray(0, 3));
  assert.equal(await limitHits(t, server, 'body-timeout'), 2);
  assert.equal(await metric(t, server, 'freshet_subscribers'), 0);
});

test('a thousand tiny fragments make a message', { skip }, async (t) => {
  const server = await serve(t);
  const client = await openWebSocket(t, server, '/events/a');
  const text = message('tiny', 'x'.repeat(20_000));
  client.send(...Array.from(text, (char, i) => frame(i ? CONTINUATION : TEXT, char, { fin: i === text.length - 1 })));
  await expectAnswer(client, 'tiny');
});
