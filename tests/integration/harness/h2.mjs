// HTTP/2 in two ways: Node's own client, for what a good client sees, and a writer of single frames, for what no good
// client would send.

import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { patience, within } from './env.mjs';
import { connect } from './socket.mjs';
import { Stream } from './sse.mjs';
import { checkAnswer, noteSent } from './secrets.mjs';

// --- Node's client ---

// A connection of Node's client; `goodbye` is the code of the GOAWAY that ended it, and `closed` resolves at its end.
export async function connectH2(t, server, options = {}) {
  const session = http2.connect(server.url, options);
  session.on('error', () => {});
  session.on('goaway', (code) => {
    session.goodbye = code;
  });
  session.closedPromise = new Promise((resolve) => session.once('close', resolve));
  t?.after(() => session.destroy());
  await within(new Promise((resolve) => session.once('connect', resolve)), 'an HTTP/2 connection');
  return session;
}

export function waitClosed(session, ms = patience) {
  return within(session.closedPromise, 'the HTTP/2 connection to be closed', ms);
}

// Begins a request; resolves once its head is answered. What is not read stays unread.
export async function beginH2(session, { method = 'GET', path = '/', headers = {}, body } = {}) {
  noteSent([path, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\n'));
  const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined });
  stream.on('error', () => {});
  const answered = new Promise((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('close', () => reject(new Error(`${method} ${path} was reset with ${stream.rstCode}`)));
  });
  answered.catch(() => {});
  if (body !== undefined && body !== null) {
    stream.end(body);
  }
  stream.answered = answered;
  return stream;
}

// A whole exchange.
export async function requestH2(session, options) {
  const stream = await beginH2(session, options);
  const headers = await within(stream.answered, 'an answer');
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  await within(new Promise((resolve) => stream.once('close', resolve)), 'the end of an answer');
  const text = Buffer.concat(chunks).toString();
  checkAnswer(headers, text);
  return { status: headers[':status'], headers, body: text, json: () => JSON.parse(text) };
}

// An event stream, read as it comes.
export async function subscribeH2(session, path, headers = {}) {
  const request = await beginH2(session, { path, headers: { accept: 'text/event-stream', ...headers } });
  const head = await within(request.answered, 'an answer');
  assert.equal(head[':status'], 200);
  const stream = new Stream(() => request.close(http2.constants.NGHTTP2_CANCEL));
  stream.head = head;
  stream.request = request;
  request.on('data', (chunk) => stream.push(chunk));
  request.on('close', () => stream.end());
  return stream;
}

// --- single frames ---

export const types = {
  DATA: 0, HEADERS: 1, PRIORITY: 2, RST_STREAM: 3, SETTINGS: 4, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8, CONTINUATION: 9,
};
export const flags = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8 };
export const codes = {
  NO_ERROR: 0, PROTOCOL_ERROR: 1, FLOW_CONTROL_ERROR: 3, STREAM_CLOSED: 5, REFUSED_STREAM: 7, CANCEL: 8,
  COMPRESSION_ERROR: 9, ENHANCE_YOUR_CALM: 11,
};
export const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export function frame(type, flag = 0, id = 0, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flag;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

export function number(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function settings(entries) {
  return frame(types.SETTINGS, 0, 0, Buffer.concat(entries.map(([id, value]) => {
    const bytes = Buffer.alloc(6);
    bytes.writeUInt16BE(id);
    bytes.writeUInt32BE(value, 2);
    return bytes;
  })));
}

function packedLength(value) {
  if (value < 127) {
    return Buffer.from([value]);
  }
  const bytes = [127];
  for (value -= 127; value >= 128; value = Math.floor(value / 128)) {
    bytes.push((value % 128) + 128);
  }
  return Buffer.from([...bytes, value]);
}

// A field as a literal; `first` is 0x00 for one that is not to be remembered, 0x40 for one that is.
export function field(name, value, first = 0x00) {
  const parts = [Buffer.from([first])];
  for (const text of [name, value]) {
    const bytes = Buffer.from(text, 'latin1');
    parts.push(packedLength(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

// The fields of a request.
export function head(path = '/healthz', { method = 'GET', extra = [], authority = 'h' } = {}) {
  const all = [[':method', method], [':scheme', 'http'], [':path', path]];
  if (authority !== null) {
    all.push([':authority', authority]);
  }
  return Buffer.concat([...all, ...extra].map(([name, value]) => field(name, value)));
}

export function request(id, path, options = {}) {
  const end = options.end === false ? 0 : flags.END_STREAM;
  return frame(types.HEADERS, flags.END_HEADERS | end, id, head(path, options));
}

// A connection on which frames are written and read one by one.
class FrameSocket {
  constructor(socket) {
    this.socket = socket;
    this.frames = [];
    this.ended = false;
    this.said = undefined; // the code of a GOAWAY
    this.rest = Buffer.alloc(0);
    this.wake = () => {};
    socket.divert((chunk) => this.#push(chunk), () => {
      this.ended = true;
      this.wake();
    });
  }

  #push(chunk) {
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= 9 && this.rest.length >= 9 + this.rest.readUIntBE(0, 3)) {
      const length = this.rest.readUIntBE(0, 3);
      if (this.rest[3] === types.GOAWAY) {
        this.said = this.rest.readUInt32BE(13);
        this.why = this.rest.subarray(17, 9 + length).toString();
      }
      this.frames.push({
        type: this.rest[3],
        flags: this.rest[4],
        id: this.rest.readUInt32BE(5),
        payload: this.rest.subarray(9, 9 + length),
      });
      this.rest = this.rest.subarray(9 + length);
    }
    this.wake();
  }

  send(...parts) {
    this.socket.send(Buffer.concat(parts));
  }

  // Waits for a frame that `match` accepts; all before it are dropped.
  async until(match, what = 'a frame') {
    const found = new Promise((resolve, reject) => {
      const look = () => {
        const at = this.frames.findIndex(match);
        if (at >= 0) {
          resolve(this.frames.splice(0, at + 1).at(-1));
        } else if (this.ended) {
          reject(new Error(`the connection ended before ${what}, with GOAWAY ${this.said} ${this.why}`));
        }
      };
      this.wake = look;
      look();
    });
    return within(found, what);
  }

  frame(type, id) {
    return this.until((f) => f.type === type && (id === undefined || f.id === id), `a frame of type ${type}`);
  }

  // The code of its GOAWAY, which may have come before.
  async goaway() {
    if (this.said === undefined) {
      await this.frame(types.GOAWAY);
    }
    return this.said;
  }

  async reset(id) {
    return (await this.frame(types.RST_STREAM, id)).payload.readUInt32BE(0);
  }

  // All that was said before has been read by the server.
  async ping() {
    const mark = Buffer.from('is heard');
    this.send(frame(types.PING, 0, 0, mark));
    await this.until((f) => f.type === types.PING && f.flags & flags.ACK && f.payload.equals(mark), 'the answer to a ping');
  }

  async waitEnded() {
    await within(new Promise((resolve) => {
      this.wake = () => this.ended && resolve();
      this.wake();
    }), 'the end of the connection');
  }
}

// Connects and says what every client says first; `first` are its settings.
export async function connectFrames(t, server, { first = [], silent = false } = {}) {
  const socket = await connect(t, server);
  const frames = new FrameSocket(socket);
  if (!silent) {
    frames.send(Buffer.from(preface), settings(first));
    await frames.until((f) => f.type === types.SETTINGS && f.flags === 0, 'its settings');
    frames.send(frame(types.SETTINGS, flags.ACK));
  }
  return frames;
}
