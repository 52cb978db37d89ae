// What request smuggling is made of: each is answered with an error and a closed connection, and what follows it on the
// same connection is never taken for a request.

import assert from 'node:assert/strict';
import { connect, request, serve, subscribe, publish, test } from './harness/index.mjs';

const smuggled = 'POST /events/smuggled HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nevil';
const post = (headers, body = '') => `POST /events/a HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
const chunked = (body) => post(['Host: h', 'Transfer-Encoding: chunked'], body);

const refused = {
  'both a length and chunked': post(['Host: h', 'Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  'chunked and then a length': post(['Host: h', 'Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n'),
  'two different lengths': post(['Host: h', 'Content-Length: 5', 'Content-Length: 6'], 'hello'),
  'the same length twice': post(['Host: h', 'Content-Length: 5', 'Content-Length: 5'], 'hello'),
  'a list of lengths': post(['Host: h', 'Content-Length: 5, 5'], 'hello'),
  'a length with a sign': post(['Host: h', 'Content-Length: +5'], 'hello'),
  'a negative length': post(['Host: h', 'Content-Length: -1']),
  'a length in hex': post(['Host: h', 'Content-Length: 0x5'], 'hello'),
  'a length with an underscore': post(['Host: h', 'Content-Length: 1_0'], 'hello'),
  'a length with a space inside': post(['Host: h', 'Content-Length: 5 0'], 'hello'),
  'an empty length': post(['Host: h', 'Content-Length:'], 'hello'),
  'a length that overflows': post(['Host: h', 'Content-Length: 18446744073709551621'], 'hello'),
  'a transfer encoding that is not chunked': post(['Host: h', 'Transfer-Encoding: identity'], 'hello'),
  'chunked that is not the last coding': post(['Host: h', 'Transfer-Encoding: chunked, gzip'], '0\r\n\r\n'),
  'another coding before chunked': post(['Host: h', 'Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'),
  'chunked twice': post(['Host: h', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  'chunked in a list of two': post(['Host: h', 'Transfer-Encoding: chunked, chunked'], '0\r\n\r\n'),
  'chunked with a control character': post(['Host: h', 'Transfer-Encoding: \x0bchunked'], '0\r\n\r\n'),
  'an unknown coding that looks like chunked': post(['Host: h', 'Transfer-Encoding: xchunked'], '0\r\n\r\n'),
  'a space before the colon': post(['Host: h', 'Content-Length : 5'], 'hello'),
  'a tab before the colon': post(['Host: h', 'Content-Length\t: 5'], 'hello'),
  'obsolete folding': post(['Host: h', 'X: a', ' b']),
  'folding before the first header': 'GET /healthz HTTP/1.1\r\n Host: h\r\n\r\n',
  'a header without a colon': post(['Host: h', 'nonsense']),
  'a header without a name': post(['Host: h', ': x']),
  'a header name with a NUL': post(['Host: h', 'a\0b: x']),
  'a header value with a NUL': post(['Host: h', 'X: a\0b']),
  'a bare CR in a header': post(['Host: h', 'X: a\rY: b']),
  'a bare LF after the request line': 'GET /healthz HTTP/1.1\nHost: h\r\n\r\n',
  'a bare LF after a header': 'GET /healthz HTTP/1.1\r\nHost: h\n\r\n',
  'bare LFs alone': 'GET /healthz HTTP/1.1\nHost: h\n\n',
  'no Host': 'GET /healthz HTTP/1.1\r\n\r\n',
  'two Hosts': 'GET /healthz HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n',
  'a Host with a space': 'GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n',
  'two spaces in the request line': 'GET  /healthz HTTP/1.1\r\nHost: h\r\n\r\n',
  'a tab in the request line': 'GET\t/healthz HTTP/1.1\r\nHost: h\r\n\r\n',
  'a method with odd letters': 'G(ET /healthz HTTP/1.1\r\nHost: h\r\n\r\n',
  'a version in lower case': 'GET /healthz http/1.1\r\nHost: h\r\n\r\n',
  'a version with more digits': 'GET /healthz HTTP/1.10\r\nHost: h\r\n\r\n',
  'no version': 'GET /healthz\r\nHost: h\r\n\r\n',
  'a control character in the path': 'GET /heal\x01thz HTTP/1.1\r\nHost: h\r\n\r\n',
  'a path that does not start with a slash': 'GET healthz HTTP/1.1\r\nHost: h\r\n\r\n',
  'a chunk size with a sign': chunked('+5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with 0x': chunked('0x5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with a space before': chunked(' 5\r\nhello\r\n0\r\n\r\n'),
  'a chunk size with an underscore': chunked('1_0\r\nhello\r\n0\r\n\r\n'),
  'an empty chunk size': chunked('\r\nhello\r\n0\r\n\r\n'),
  'a chunk size that overflows': chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'),
  'a chunk size ended by LF': chunked('5\nhello\r\n0\r\n\r\n'),
  'a chunk ended by LF': chunked('5\r\nhello\n0\r\n\r\n'),
  'a chunk longer than it says': chunked('3\r\nhello\r\n0\r\n\r\n'),
  'a chunk extension with a bare LF': chunked('5;a\nb\r\nhello\r\n0\r\n\r\n'),
  'a chunk extension with a bare CR': chunked('5;a\rb\r\nhello\r\n0\r\n\r\n'),
  'a chunk extension without end': chunked(`5;${'x'.repeat(100_000)}`),
  'a last chunk ended by LF': chunked('0\n\n'),
  'chunked in HTTP/1.0': 'POST /events/a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
};

for (const [what, bytes] of Object.entries(refused)) {
  test(`refused: ${what}`, async (t) => {
    const server = await serve(t);
    const listener = await subscribe(t, server, '/events?topic=**');
    const socket = await connect(t, server);
    socket.send(Buffer.concat([Buffer.from(bytes, 'latin1'), Buffer.from(smuggled)]));
    const response = await socket.readResponse();
    // A coding that is well-formed but unknown may also be called "not implemented".
    assert.ok(response.status === 400 || (response.status === 501 && /coding/.test(what)), `${response.status} ${response.body}`);
    assert.equal(response.headers.connection, 'close');
    assert.equal(await socket.readToEnd(), '', 'no second response');
    await publish(t, server, 'proof', 'end');
    const [event] = await listener.take(1);
    assert.equal(event.data, 'end', 'nothing was published');
  });
}

test('an HTTP version that is not served is 505 or 400, and closes', async (t) => {
  const server = await serve(t);
  for (const version of ['2.0', '3.0', '0.9']) {
    const socket = await connect(t, server);
    socket.send(`GET /healthz HTTP/${version}\r\nHost: h\r\n\r\n`);
    assert.ok([400, 505].includes((await socket.readResponse()).status), version);
    assert.equal(await socket.readToEnd(), '');
  }
});

test('bytes that are not HTTP at all', async (t) => {
  const server = await serve(t);
  const inputs = ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.repeat(20), '\0'.repeat(100), 'SSH-2.0-OpenSSH_9.0\r\n\r\n', '\xff'.repeat(100)];
  for (const input of inputs) {
    const socket = await connect(t, server);
    socket.send(Buffer.from(input, 'latin1'));
    socket.halfClose();
    await socket.waitClosed();
  }
  assert.equal((await request(t, server, { path: '/healthz' })).status, 200);
});

test('what is only unusual is accepted', async (t) => {
  const server = await serve(t);
  const accepted = [
    '\r\nGET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    'GET /healthz HTTP/1.1\r\nhOsT:h\r\nCONNECTION:\tclose \r\n\r\n',
    'GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    'GET http://h/healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    'GET /healthz HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close, x\r\n\r\n',
    'POST /events/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n00005;a="b;c"\r\nhello\r\n0\r\nX: y\r\n\r\n',
  ];
  for (const bytes of accepted) {
    const socket = await connect(t, server);
    socket.send(bytes);
    assert.equal((await socket.readResponse()).status, 200, JSON.stringify(bytes));
  }
});

test('a request that comes byte by byte is one request', async (t) => {
  const server = await serve(t);
  const socket = await connect(t, server);
  for (const byte of Buffer.from('POST /events/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n')) {
    await socket.send(Buffer.from([byte]));
  }
  assert.equal((await socket.readResponse()).status, 200);
});

test('a GET with a body: the body is not taken for a request', async (t) => {
  const server = await serve(t);
  const listener = await subscribe(t, server, '/events?topic=**');
  const socket = await connect(t, server);
  socket.send(`GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
  await socket.readResponse();
  await publish(t, server, 'proof', 'end');
  assert.equal((await listener.next()).data, 'end');
});
