// A socket that says exactly what the test says: no client library corrects what is sent or hides what comes back.

import net from 'node:net';
import tls from 'node:tls';
import { patience, within } from './env.mjs';
import { checkAnswer, noteSent } from './secrets.mjs';

const bytes = (text) => (Buffer.isBuffer(text) ? text : Buffer.from(text, 'utf8'));

// "HTTP/1.1 200 OK…" up to the blank line, as { version, status, reason, headers, lines }. Names are in lower case;
// what is repeated is joined with a comma.
export function parseHead(text) {
  const [first, ...lines] = text.split('\r\n').filter((line) => line !== '');
  const [, version, status, reason] = first.match(/^HTTP\/(\d\.\d) (\d{3}) ?(.*)$/) ?? [];
  if (!version) {
    throw new Error(`not the head of a response: ${JSON.stringify(first)}`);
  }
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return { version, status: Number(status), reason, headers, lines };
}

export class RawSocket {
  // `secure`, if there is one, is what tls.connect() takes.
  constructor({ port, host = '127.0.0.1', path, localAddress, secure }) {
    this.chunks = [];
    this.size = 0;
    this.closed = false; // the peer will send no more: 'end', 'close' or an error
    this.error = undefined;
    this.wake = () => {};
    this.onData = undefined; // a stream decoder takes the bytes instead
    const place = path ? { path } : { port, host, localAddress };
    this.socket = secure ? tls.connect({ ...place, ...secure }) : net.connect({ ...place, noDelay: true });
    this.connected = new Promise((resolve, reject) => {
      this.socket.once(secure ? 'secureConnect' : 'connect', () => resolve(this));
      this.socket.once('error', reject);
    });
    this.connected.catch(() => {});
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('end', () => this.#close());
    this.socket.on('close', () => this.#close());
    this.socket.on('error', (error) => this.#close(error));
  }

  #take(chunk) {
    if (this.onData) {
      this.onData(chunk);
      return;
    }
    this.chunks.push(chunk);
    this.size += chunk.length;
    this.wake();
  }

  #close(error) {
    this.error ??= error;
    this.closed = true;
    this.onClose?.();
    this.wake();
  }

  // What has come and was not consumed.
  peek() {
    if (this.chunks.length > 1) {
      this.chunks = [Buffer.concat(this.chunks)];
    }
    return this.chunks[0] ?? Buffer.alloc(0);
  }

  // Takes the first `count` bytes out.
  consume(count) {
    const all = this.peek();
    this.chunks = count < all.length ? [all.subarray(count)] : [];
    this.size = all.length - count;
    return all.subarray(0, count);
  }

  // Hands what has come, and all that will come, to a decoder.
  divert(onData, onClose) {
    this.onData = onData;
    this.onClose = onClose;
    const rest = this.consume(this.size);
    if (rest.length > 0) {
      onData(rest);
    }
    if (this.closed) {
      onClose();
    }
  }

  send(text) {
    if (typeof text === 'string') {
      noteSent(text);
    }
    return new Promise((resolve) => this.socket.write(bytes(text), () => resolve()));
  }

  // Waits until `find` gives a number of bytes to consume.
  async #readWith(find, what, ms = patience) {
    const attempt = new Promise((resolve, reject) => {
      const look = () => {
        const count = find(this.peek());
        if (count !== undefined && count >= 0) {
          resolve(this.consume(count));
        } else if (this.closed) {
          const got = JSON.stringify(this.peek().toString('utf8').slice(0, 2000));
          reject(new Error(`the connection closed before ${what}; got ${got}${this.error ? ` (${this.error.message})` : ''}`));
        }
      };
      this.wake = look;
      look();
    });
    try {
      return (await within(attempt, what, ms)).toString('utf8');
    } catch (error) {
      throw new Error(`${error.message}; so far: ${JSON.stringify(this.peek().toString('utf8').slice(0, 2000))}`);
    } finally {
      this.wake = () => {};
    }
  }

  // Reads up to and including the first match of a string or pattern, or until a predicate of the text holds.
  readUntil(pattern, ms) {
    const find = (buffer) => {
      if (typeof pattern === 'string') {
        const at = buffer.indexOf(pattern);
        return at < 0 ? -1 : at + Buffer.byteLength(pattern);
      }
      if (typeof pattern === 'function') {
        return pattern(buffer.toString('utf8')) ? buffer.length : -1;
      }
      const match = buffer.toString('latin1').match(pattern);
      return match ? match.index + match[0].length : -1;
    };
    return this.#readWith(find, typeof pattern === 'string' ? JSON.stringify(pattern) : String(pattern), ms);
  }

  read(count, ms) {
    return this.#readWith((buffer) => (buffer.length >= count ? count : -1), `${count} bytes`, ms);
  }

  // Everything until the peer closes.
  readToEnd(ms) {
    return this.#readWith((buffer) => (this.closed ? buffer.length : -1), 'the end of the stream', ms);
  }

  async readHead(ms) {
    return parseHead(await this.readUntil('\r\n\r\n', ms));
  }

  // One whole response, whichever way its body is delimited. Interim (1xx) responses are passed over, and the body of
  // a stream is left to the caller.
  async readResponse({ method = 'GET' } = {}, ms) {
    let head;
    do {
      head = await this.readHead(ms);
    } while (head.status < 200);
    let body = '';
    const isStream = /event-stream|ndjson/.test(head.headers['content-type']);
    if (!isStream && method !== 'HEAD' && head.status !== 204 && head.status !== 304) {
      if (head.headers['transfer-encoding'] === 'chunked') {
        body = await this.#readChunked(ms);
      } else if ('content-length' in head.headers) {
        body = await this.read(Number(head.headers['content-length']), ms);
      } else {
        body = await this.readToEnd(ms);
      }
    }
    checkAnswer(head.headers, body);
    return { ...head, body, json: () => JSON.parse(body) };
  }

  async #readChunked(ms) {
    let body = '';
    for (;;) {
      const size = parseInt(await this.readUntil('\r\n', ms), 16);
      if (size === 0) {
        await this.readUntil('\r\n', ms);
        return body;
      }
      body += await this.read(size, ms);
      await this.readUntil('\r\n', ms);
    }
  }

  // Waits until the peer has closed, whatever it still sends.
  async waitClosed(ms) {
    await this.readToEnd(ms);
  }

  // No more from this side; the other may go on.
  halfClose() {
    this.socket.end();
  }

  // Stops reading: the kernel's buffers fill, and then the server's.
  pause() {
    this.socket.pause();
  }

  resume() {
    this.socket.resume();
  }

  // Vanishes with RST instead of FIN.
  reset() {
    this.socket.resetAndDestroy();
  }

  close() {
    this.socket.destroy();
  }
}

// Connects to a server, or to what says where it is: { port, host } or { path } of a Unix socket; encrypted if it is
// `secure`. The socket is destroyed after the test.
export async function connect(t, { port, host, path, secure }, options) {
  const socket = new RawSocket({ port, host, path, secure, ...options });
  t?.after(() => socket.close());
  return within(socket.connected, 'a connection');
}

// A socket that reads one byte from the kernel each time it is asked, and nothing otherwise.
export async function connectSlowReader(t, server, request) {
  let deliver = () => {};
  const socket = net.connect({
    port: server.port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.alloc(1),
      callback: (count, buffer) => {
        deliver(buffer.toString('latin1', 0, count));
        return false;
      },
    },
  });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await within(new Promise((resolve) => socket.once('connect', resolve)), 'a connection');
  socket.write(request);
  const readByte = () => {
    const byte = new Promise((resolve) => {
      deliver = resolve;
    });
    socket.resume();
    return within(byte, 'a byte');
  };
  return { socket, readByte };
}

// One request on a connection of its own; closed after the response.
export async function request(t, server, { method = 'GET', path = '/', headers = {}, body, version = '1.1' } = {}) {
  const socket = await connect(t, server);
  const all = { host: `127.0.0.1:${server.port ?? 80}`, connection: 'close', ...headers };
  if (body !== undefined && !('transfer-encoding' in all) && !('content-length' in all)) {
    all['content-length'] = Buffer.byteLength(body);
  }
  const lines = Object.entries(all).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.send(`${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n`);
  if (body !== undefined) {
    socket.send(body);
  }
  try {
    return await socket.readResponse({ method });
  } finally {
    socket.close();
  }
}
