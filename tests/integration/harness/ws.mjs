// WebSocket, frame by frame: what no client library would send, and every byte of what comes back. Over a socket of its
// own, or over a stream of Node's HTTP/2 client.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { patience, within } from './env.mjs';
import { connect } from './socket.mjs';
import { run } from './process.mjs';

export const opcodes = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

// One frame of a client. What is told otherwise is broken on purpose.
export function frame(opcode, payload = '', { fin = true, reserved = 0, masked = true, length } = {}) {
  const bytes = Buffer.from(payload);
  const size = length ?? bytes.length;
  let head;
  if (size < 126) {
    head = Buffer.from([0, size]);
  } else if (size < 65536) {
    head = Buffer.from([0, 126, size >> 8, size & 0xff]);
  } else {
    head = Buffer.alloc(10);
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(size), 2);
  }
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  if (!masked) {
    return Buffer.concat([head, bytes]);
  }
  head[1] |= 0x80;
  const key = randomBytes(4);
  return Buffer.concat([head, key, bytes.map((byte, i) => byte ^ key[i % 4])]);
}

export function closePayload(code, reason = '') {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason)]);
}

export class WebSocketClient {
  // `write` takes bytes; what comes is pushed.
  constructor(write) {
    this.write = write;
    this.rest = Buffer.alloc(0);
    this.frames = [];
    this.over = false; // the server has said its last
    this.ended = false;
    this.failure = undefined;
    this.wake = () => {};
  }

  push(chunk) {
    this.rest = Buffer.concat([this.rest, chunk]);
    try {
      while (this.#takeFrame());
    } catch (error) {
      this.failure ??= error;
    }
    this.wake();
  }

  #takeFrame() {
    const { rest } = this;
    if (rest.length < 2) {
      return false;
    }
    let size = rest[1];
    let at = 2;
    assert.ok(size < 128, 'a server does not mask');
    if (size === 126 || size === 127) {
      at = size === 126 ? 4 : 10;
      if (rest.length < at) {
        return false;
      }
      const long = at === 4 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      assert.ok(long >= (at === 4 ? 126 : 65536), `the length ${long} is written too long`);
      size = long;
    }
    assert.ok([0x81, 0x88, 0x89, 0x8a].includes(rest[0]), `an unexpected frame ${rest[0].toString(16)}`);
    if (rest.length < at + size) {
      return false;
    }
    assert.ok(!this.over, 'a frame after the close');
    this.over = (rest[0] & 15) === opcodes.CLOSE;
    this.frames.push({ opcode: rest[0] & 15, payload: rest.subarray(at, at + size) });
    this.rest = rest.subarray(at + size);
    return true;
  }

  end() {
    this.ended = true;
    this.wake();
  }

  send(...parts) {
    this.write(Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : frame(opcodes.TEXT, part)))));
  }

  say(value) {
    this.send(JSON.stringify(value));
  }

  async #wait(look, what, ms = patience) {
    const attempt = new Promise((resolve, reject) => {
      let done = false; // what is found is taken, so it is looked for once
      const check = () => {
        const found = done ? undefined : look();
        done ||= found !== undefined;
        if (this.failure) {
          reject(this.failure);
        } else if (found !== undefined) {
          resolve(found);
        } else if (this.ended) {
          reject(new Error(`the connection ended before ${what}; got ${this.frames.length} frames`));
        }
      };
      this.wake = check;
      check();
    });
    try {
      return await within(attempt, what, ms);
    } finally {
      this.wake = () => {};
    }
  }

  // The next frame of this kind; those of other kinds before it are dropped if they are pings.
  async frame(opcode = opcodes.TEXT, ms) {
    const found = await this.#wait(() => {
      while (opcode !== opcodes.PING && this.frames[0]?.opcode === opcodes.PING) {
        this.frames.shift();
      }
      return this.frames.shift();
    }, `a frame of kind ${opcode}`, ms);
    assert.equal(found.opcode, opcode, `instead came ${JSON.stringify(found.payload.toString('latin1'))}`);
    return found.payload;
  }

  async text(ms) {
    return new TextDecoder('utf-8', { fatal: true }).decode(await this.frame(opcodes.TEXT, ms));
  }

  async json(ms) {
    return JSON.parse(await this.text(ms));
  }

  // The answer to a message, wherever it stands between events; those are kept.
  async answer(ms) {
    return this.#wait(() => {
      const at = this.frames.findIndex((each) => each.opcode === opcodes.TEXT && !/^\{"(id|event)":/.test(each.payload.subarray(0, 10)));
      return at < 0 ? undefined : JSON.parse(this.frames.splice(at, 1)[0].payload);
    }, 'an answer', ms);
  }

  // The events up to `count`.
  async events(count) {
    const events = [];
    while (events.length < count) {
      events.push(await this.json());
    }
    return events;
  }

  // What the server says last, whatever comes before it; then it ends the connection.
  async closed(ms) {
    const payload = await this.#wait(() => this.frames.find((each) => each.opcode === opcodes.CLOSE)?.payload, 'a close', ms);
    return payload.length ? { code: payload.readUInt16BE(), reason: payload.subarray(2).toString() } : {};
  }

  async waitEnded(ms) {
    await this.#wait(() => (this.ended ? true : undefined), 'the end of the connection', ms);
  }
}

export const sampleKey = 'dGhlIHNhbXBsZSBub25jZQ==';

export function handshake(server, path, headers = {}) {
  const all = {
    host: `127.0.0.1:${server.port}`,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': sampleKey,
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

// Opens a WebSocket over a raw socket, and checks the handshake.
export async function openWebSocket(t, server, path, { headers, early } = {}) {
  const socket = await connect(t, server);
  socket.send(Buffer.concat([Buffer.from(handshake(server, path, headers)), early ?? Buffer.alloc(0)]));
  const head = await socket.readHead();
  assert.equal(head.status, 101);
  assert.equal(head.headers.upgrade, 'websocket');
  assert.match(head.headers.connection, /^upgrade$/i);
  const sum = createHash('sha1').update(`${sampleKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  assert.equal(head.headers['sec-websocket-accept'], sum);
  const client = new WebSocketClient((bytes) => socket.send(bytes));
  client.head = head;
  client.socket = socket;
  socket.divert((chunk) => client.push(chunk), () => client.end());
  return client;
}

// Opens one on a stream of an HTTP/2 connection of Node's (RFC 8441).
export async function openWebSocketH2(session, path, headers = {}) {
  if (!session.remoteSettings.enableConnectProtocol) {
    await within(new Promise((resolve) => session.once('remoteSettings', resolve)), 'settings');
  }
  assert.equal(session.remoteSettings.enableConnectProtocol, true);
  const stream = session.request({
    ':method': 'CONNECT', ':protocol': 'websocket', ':path': path, 'sec-websocket-version': '13', ...headers,
  }, { endStream: false });
  stream.on('error', () => {});
  const head = await within(new Promise((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('close', () => reject(new Error(`reset with ${stream.rstCode}`)));
  }), 'an answer');
  assert.equal(head[':status'], 200);
  const client = new WebSocketClient((bytes) => stream.write(bytes));
  client.head = head;
  client.stream = stream;
  stream.on('data', (chunk) => client.push(chunk));
  stream.on('end', () => {
    stream.end();
    client.end();
  });
  stream.on('close', () => client.end());
  return client;
}

// Why tests of WebSocket are skipped; false: they are not.
export async function withoutWebSocket() {
  const { stdout } = await run({ after: () => {} }, ['--version']);
  return /^no WebSocket/m.test(stdout) && 'freshet was built without WebSocket';
}
