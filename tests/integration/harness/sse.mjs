// Reads event streams, over a raw socket or over fetch. The decoder is deliberately not the program's own.

import assert from 'node:assert/strict';
import { patience, within } from './env.mjs';
import { connect } from './socket.mjs';

// Lines to events, by the letter for what freshet writes: LF only, and no block that carries no data.
class Decoder {
  constructor(emit) {
    this.emit = emit;
    this.rest = Buffer.alloc(0);
    this.block = {};
    this.comments = 0;
    this.retries = []; // the values of retry outside of events, in order
    this.lastId = undefined;
    this.utf8 = new TextDecoder('utf-8', { fatal: true });
  }

  push(chunk) {
    let buffer = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    let from = 0;
    for (let at; (at = buffer.indexOf(10, from)) >= 0; from = at + 1) {
      this.line(this.utf8.decode(buffer.subarray(from, at)));
    }
    this.rest = buffer.subarray(from);
  }

  line(line) {
    assert.ok(!line.includes('\r'), `a CR in the stream: ${JSON.stringify(line)}`);
    if (line === '') {
      assert.ok('data' in this.block, `a block without data: ${JSON.stringify(this.block)}`);
      this.emit({ event: 'message', ...this.block, id: this.block.id ?? this.lastId });
      this.lastId = this.block.id ?? this.lastId;
      this.block = {};
    } else if (line.startsWith(':')) {
      assert.deepEqual(this.block, {}, 'a comment inside an event');
      this.comments++;
    } else {
      this.field(...line.match(/^([^:]*)(?:: ?([^]*))?$/).slice(1));
    }
  }

  field(name, value = '') {
    if (name === 'data') {
      this.block.data = 'data' in this.block ? `${this.block.data}\n${value}` : value;
    } else if (name === 'retry' && Object.keys(this.block).length === 0) {
      this.retries.push(Number(value));
    } else {
      assert.match(name, /^(id|event|retry)$/, `an unknown field in ${JSON.stringify(this.block)}`);
      this.block[name] = name === 'retry' ? Number(value) : value;
    }
  }
}

// What both readers are: a queue of events that can be waited for.
export class Stream {
  constructor(close) {
    this.queue = [];
    this.ended = false;
    this.failure = undefined;
    this.wake = () => {};
    this.close = close;
    this.decoder = new Decoder((event) => this.queue.push(event));
  }

  get comments() {
    return this.decoder.comments;
  }

  get retries() {
    return this.decoder.retries;
  }

  push(chunk) {
    try {
      this.decoder.push(chunk);
    } catch (error) {
      this.failure ??= error;
    }
    this.wake();
  }

  end() {
    this.ended = true;
    this.wake();
  }

  // Waits until `done` holds; fails when the stream ends or breaks before.
  async wait(done, what, ms = patience) {
    const attempt = new Promise((resolve, reject) => {
      const look = () => {
        if (this.failure) {
          reject(this.failure);
        } else if (done()) {
          resolve();
        } else if (this.ended) {
          reject(new Error(`the stream ended before ${what}; pending: ${JSON.stringify(this.queue.slice(0, 5))}`));
        }
      };
      this.wake = look;
      look();
    });
    try {
      await within(attempt, what, ms);
    } finally {
      this.wake = () => {};
    }
  }

  async next(ms) {
    await this.wait(() => this.queue.length > 0, 'the next event', ms);
    return this.queue.shift();
  }

  async take(count, ms) {
    await this.wait(() => this.queue.length >= count, `${count} events (have ${this.queue.length})`, ms);
    return this.queue.splice(0, count);
  }

  // Everything up to and including the first event that matches.
  async takeUntil(match, ms) {
    const taken = [];
    do {
      taken.push(await this.next(ms));
    } while (!match(taken.at(-1)));
    return taken;
  }

  async waitComments(count, ms) {
    await this.wait(() => this.comments >= count, `${count} comments (have ${this.comments})`, ms);
  }

  // Waits for the end of the stream; returns what came before.
  async finish(ms) {
    await this.wait(() => this.ended, 'the end of the stream', ms);
    return this.queue.splice(0);
  }

  // Publishing goes through here too, so an event of the test's own is the proof that nothing else is on its way.
  assertQuiet() {
    assert.equal(this.failure, undefined);
    assert.deepEqual(this.queue, [], 'nothing more was expected');
  }
}

export function subscribeHead(server, path, { headers = {}, version = '1.1', method = 'GET' } = {}) {
  const all = { host: `127.0.0.1:${server.port ?? 80}`, accept: 'text/event-stream', ...headers };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n`;
}

// Subscribes over a raw socket; returns the stream with `head` and `socket`, once the server has answered 200.
export async function subscribe(t, server, path, options = {}) {
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, path, options));
  const head = await socket.readHead();
  if (head.status !== 200) {
    assert.fail(`subscribing to ${path} gave ${head.status}: ${await socket.readToEnd()}`);
  }
  const stream = new Stream(() => socket.close());
  stream.head = head;
  stream.socket = socket;
  socket.divert((chunk) => stream.push(chunk), () => stream.end());
  return stream;
}

// The same with fetch, as a script in a page or another server would do it.
export async function subscribeFetch(t, server, path, { headers = {} } = {}) {
  const abort = new AbortController();
  t.after(() => abort.abort());
  const response = await within(
    fetch(server.url + path, { headers: { accept: 'text/event-stream', ...headers }, signal: abort.signal }), 'a response');
  assert.equal(response.status, 200);
  const stream = new Stream(() => abort.abort());
  stream.response = response;
  (async () => {
    try {
      for await (const chunk of response.body) {
        stream.push(Buffer.from(chunk));
      }
    } catch {
      // Aborted, or the server has gone: the end, either way.
    }
    stream.end();
  })();
  return stream;
}
