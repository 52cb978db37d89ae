// The server is killed at random moments under load, and started again on the same directory. What was acknowledged
// is written down here, independently of the program, and compared with what listeners get who come back with their
// last id. FRESHET_CRASHES=300 does it for longer.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertRising, connect, order, publish, serve, slow, subscribe, test } from './harness/index.mjs';

const crashes = Number(process.env.FRESHET_CRASHES ?? 12);
const publishers = 16;
const topics = 3;

// Everything that publishers did: what is acknowledged was answered with 200.
class Book {
  constructor() {
    this.acknowledged = new Map(); // data to id, or to undefined where the answer does not tell
    this.tried = 0;
  }

  acknowledge(data, id) {
    assert.ok(!this.acknowledged.has(data));
    this.acknowledged.set(data, id);
  }
}

const post = (path, type, body) =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

// The forms of a publish: each makes requests of `datas` and notes what the answers acknowledge.
const forms = {
  async raw(socket, topic, [data], book) {
    socket.send(post(`/events/${topic}`, 'text/plain', data));
    const response = await socket.readResponse();
    assert.equal(response.status, 200, response.body);
    book.acknowledge(data, response.json().id);
  },

  async pipelined(socket, topic, datas, book) {
    socket.send(datas.map((data) => post(`/events/${topic}`, 'text/plain', data)).join(''));
    for (const data of datas) {
      const response = await socket.readResponse();
      assert.equal(response.status, 200, response.body);
      book.acknowledge(data, response.json().id);
    }
  },

  async batch(socket, topic, datas, book) {
    socket.send(post('/events', 'application/json', JSON.stringify(datas.map((data) => ({ topic, data })))));
    const response = await socket.readResponse();
    assert.equal(response.status, 200, response.body);
    response.json().forEach(({ id }, i) => book.acknowledge(datas[i], id));
  },

  async stream(socket, topic, datas, book) {
    socket.send(post(`/events/${topic}`, 'text/event-stream', datas.map((data) => `data: ${data}\n\n`).join('')));
    const response = await socket.readResponse();
    assert.equal(response.status, 200, response.body);
    assert.equal(response.json().published, datas.length);
    datas.forEach((data, i) => book.acknowledge(data, i === datas.length - 1 ? response.json().id : undefined));
  },
};

class Publisher {
  constructor(number, book) {
    this.number = number;
    this.book = book;
    this.sequence = 0;
    this.form = Object.values(forms)[number % 4];
  }

  datas() {
    const count = this.form === forms.raw ? 1 : randomInt(1, 8);
    this.book.tried += count;
    return Array.from({ length: count }, () => `${this.number}:${this.sequence++}:${'x'.repeat(randomInt(0, 300))}`);
  }

  // Until the server is gone.
  async run(server) {
    let socket;
    try {
      socket = await connect(null, server);
      for (;;) {
        await this.form(socket, `crash/${randomInt(topics)}`, this.datas(), this.book);
      }
    } catch (error) {
      assert.match(error.message, /closed before|ECONNRESET|ECONNREFUSED|EPIPE/, error.stack);
    } finally {
      socket?.close();
    }
  }
}

// Comes back with the last id that it has got.
class Listener {
  constructor() {
    this.events = [];
    this.gaps = [];
    this.last = undefined;
  }

  async open(server) {
    const headers = this.last ? { 'last-event-id': this.last } : {};
    const from = this.last ? '' : '&last_event_id=earliest';
    this.stream = await subscribe(null, server, `/events?topic=crash/*${from}`, { headers });
  }

  take(events) {
    for (const event of events) {
      if (event.event === 'freshet.gap') {
        this.gaps.push(JSON.parse(event.data));
      } else {
        this.events.push(event);
        this.last = event.id;
      }
    }
  }

  // What has come when the server is gone.
  async close() {
    this.take(await this.stream.finish());
    this.stream.close();
  }

  async readUpTo(data) {
    this.take(await this.stream.takeUntil((event) => event.data === data));
    this.stream.close();
  }

  isTold(id) {
    return this.gaps.some(({ after, before }) =>
      (!after || order(after) < order(id)) && (!before || order(id) < order(before)));
  }

  // Everything that was acknowledged came once and in order, or was told to be missing. Returns how many were missing.
  check(book) {
    const seen = new Map();
    const newest = new Map();
    assertRising(this.events.map((event) => event.id));
    for (const { id, data } of this.events) {
      assert.ok(!seen.has(data), `${data.slice(0, 40)} came twice: ${seen.get(data)}, ${id}`);
      seen.set(data, id);
      const [number, sequence] = data.split(':').map(Number);
      assert.ok(!(newest.get(number) >= sequence), `publisher ${number}: ${sequence} after ${newest.get(number)}`);
      newest.set(number, sequence);
    }
    let missing = 0;
    for (const [data, id] of book.acknowledged) {
      if (!seen.has(data)) {
        missing++;
        assert.ok(id === undefined || this.isTold(id), `${id} (${data.slice(0, 40)}) is missing, and no gap says so`);
      } else if (id !== undefined) {
        assert.equal(seen.get(data), id);
      }
    }
    return missing;
  }
}

async function run(t, rounds, args) {
  const directory = mkdtempSync(join(tmpdir(), 'freshet-crash-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const start = () => serve(t, ['--data', directory, '--workers', '2', ...args]);
  const book = new Book();
  const all = Array.from({ length: publishers }, (_, number) => new Publisher(number, book));
  const steady = new Listener(); // there all the time
  const rare = new Listener(); // there in one round of three
  for (let round = 0; round < rounds; round++) {
    const server = await start();
    const present = round % 3 === 0 ? [steady, rare] : [steady];
    await Promise.all(present.map((listener) => listener.open(server)));
    const running = all.map((publisher) => publisher.run(server));
    // Not awaited for anything: the moment is what is random.
    setTimeout(() => server.kill('SIGKILL'), randomInt(1, 300) * slow);
    assert.equal(await server.ending(), 'SIGKILL', server.stderr);
    await Promise.all([...running, ...present.map((listener) => listener.close())]);
  }
  const server = await start();
  const late = new Listener();
  const listeners = [steady, rare, late];
  await Promise.all(listeners.map((listener) => listener.open(server)));
  const end = `${publishers}:0:end`;
  book.acknowledge(end, await publish(t, server, 'crash/0', end));
  await Promise.all(listeners.map((listener) => listener.readUpTo(end)));
  t.diagnostic(`${rounds} crashes: ${book.tried} events sent, ${book.acknowledged.size} acknowledged, ${late.events.length} stored`);
  assert.ok(book.acknowledged.size > rounds, 'publishers got somewhere');
  return { book, steady, rare, late, server };
}

const patient = { timeout: 60_000 + crashes * 3_000 };

test(`what was acknowledged survives ${crashes} crashes`, patient, async (t) => {
  const { book, steady, rare, late } = await run(t, crashes, []);
  for (const [name, listener] of Object.entries({ steady, rare, late })) {
    assert.deepEqual(listener.gaps, [], `${name}: nothing is missing, so no gap is told`);
    assert.equal(listener.check(book), 0, name);
  }
});

test('relaxed: what a crash lost is told as a gap', patient, async (t) => {
  const rounds = Math.ceil(crashes / 3);
  const { book, steady, rare } = await run(t, rounds, ['--durability', 'relaxed', '--commit-interval', '200ms']);
  const missing = [steady, rare].map((listener) => listener.check(book));
  t.diagnostic(`missing, and told: ${missing.join(' and ')}; gaps: ${steady.gaps.length} and ${rare.gaps.length}`);
  assert.ok(rare.gaps.length > 0, 'something was lost, and told');
});
