// A server that is killed again and again under load, and started on the same directory; and books that are kept
// independently of it: what publishers were told, and what listeners got who come back with their last id.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { assertRising, order, publish } from './api.mjs';
import { dataDirectory } from './disk.mjs';
import { within } from './env.mjs';
import { serve } from './process.mjs';
import { connect } from './socket.mjs';
import { subscribe } from './sse.mjs';

export const publishers = 16;
const topics = 3;
const goneMessage = /closed before|ECONNRESET|ECONNREFUSED|EPIPE/;

// Everything that publishers did. `acknowledged` was answered with 200, `refused` with 507; what is only `tried` has no
// answer.
export class Book {
  constructor() {
    this.acknowledged = new Map(); // data to id, or to undefined where the answer does not tell
    this.counts = { tried: 0, acknowledged: 0, refused: 0 };
    this.moments = new Set();
  }

  #count(what, count = 1) {
    this.counts[what] += count;
    for (const moment of this.moments) {
      moment.look();
    }
  }

  attempt(count = 1) {
    this.#count('tried', count);
  }

  acknowledge(data, id) {
    assert.ok(!this.acknowledged.has(data), `${data.slice(0, 40)} was acknowledged twice`);
    this.acknowledged.set(data, id);
    this.#count('acknowledged');
  }

  refuse(count = 1) {
    this.#count('refused', count);
  }

  // Waits until so many more of them have come, which takes a server.
  async more(what, count, server) {
    const upto = this.counts[what] + count;
    const moment = {};
    const come = new Promise((resolve) => {
      moment.look = () => this.counts[what] >= upto && resolve();
    });
    const ended = server.ended.then(() => assert.fail(`the server ended before ${count} more were ${what}: ${server.stderr}`));
    this.moments.add(moment);
    try {
      await within(Promise.race([come, ended]), `${count} more events to be ${what}`);
    } finally {
      this.moments.delete(moment);
    }
  }
}

export const post = (path, type, body, headers = '') =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

// The next answer, or undefined when it is a refusal for lack of room.
export async function answer(socket, book, count) {
  const response = await socket.readResponse();
  if (response.status === 507) {
    book.refuse(count);
    return undefined;
  }
  assert.equal(response.status, 200, response.body);
  return response.json();
}

// The forms of a publish: each makes requests of `datas` and notes what the answers acknowledge.
const forms = {
  async raw(socket, topic, [data], book) {
    socket.send(post(`/events/${topic}`, 'text/plain', data));
    const json = await answer(socket, book, 1);
    json && book.acknowledge(data, json.id);
  },

  async pipelined(socket, topic, datas, book) {
    socket.send(datas.map((data) => post(`/events/${topic}`, 'text/plain', data)).join(''));
    for (const data of datas) {
      const json = await answer(socket, book, 1);
      json && book.acknowledge(data, json.id);
    }
  },

  async batch(socket, topic, datas, book) {
    socket.send(post('/events', 'application/json', JSON.stringify(datas.map((data) => ({ topic, data })))));
    const json = await answer(socket, book, datas.length);
    json?.forEach(({ id }, i) => book.acknowledge(datas[i], id));
  },

  async stream(socket, topic, datas, book) {
    socket.send(post(`/events/${topic}`, 'text/event-stream', datas.map((data) => `data: ${data}\n\n`).join('')));
    const json = await answer(socket, book, datas.length);
    if (json) {
      assert.equal(json.published, datas.length);
      datas.forEach((data, i) => book.acknowledge(data, i === datas.length - 1 ? json.id : undefined));
    }
  },
};

// Publishes on one connection after the other until the server is gone.
export async function keepPublishing(server, next) {
  while (!server.gone && !server.status) {
    let socket;
    try {
      socket = await connect(null, server);
      for (;;) {
        await next(socket);
      }
    } catch (error) {
      assert.match(error.message, goneMessage, error.stack);
    } finally {
      socket?.close();
    }
  }
}

class Publisher {
  constructor(number, book) {
    this.number = number;
    this.book = book;
    this.sequence = 0;
    this.form = Object.values(forms)[number % 4];
  }

  datas() {
    const count = this.form === forms.raw ? 1 : randomInt(1, 8);
    this.book.attempt(count);
    return Array.from({ length: count }, () => `${this.number}:${this.sequence++}:${'x'.repeat(randomInt(0, 300))}`);
  }

  run(server) {
    return keepPublishing(server, (socket) => this.form(socket, `crash/${randomInt(topics)}`, this.datas(), this.book));
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

  // Everything that was acknowledged came once and in order, or was told to be missing; nothing came twice. Returns how
  // many were missing.
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

export function kill(server) {
  server.gone = true;
  server.kill('SIGKILL');
}

// Kills somewhere among the first `most` events of a round.
export const killWithin = (most) => async (server, book) => {
  await book.more(randomInt(2) ? 'tried' : 'acknowledged', randomInt(1, most), server);
  kill(server);
};

// Rounds of load that each end with a kill, which is for `disturb` to choose; `others` publish as well, to books and
// topics of their own. At the end everyone reads what there is.
export async function run(t, rounds, args, { disturb, others = [] }) {
  const directory = dataDirectory(t);
  const start = () => serve(t, ['--data', directory, '--workers', '2', ...args]);
  const book = new Book();
  const all = [...Array.from({ length: publishers }, (_, number) => new Publisher(number, book)), ...others];
  const steady = new Listener(); // there all the time
  const rare = new Listener(); // there in one round of three
  for (let round = 0; round < rounds; round++) {
    const server = await start();
    const present = round % 3 === 0 ? [steady, rare] : [steady];
    await Promise.all(present.map((listener) => listener.open(server)));
    await Promise.all([disturb(server, book, round), ...all.map((publisher) => publisher.run(server))]);
    assert.equal(await server.ending(), 'SIGKILL', server.stderr);
    await Promise.all(present.map((listener) => listener.close()));
  }
  const server = await start();
  const late = new Listener();
  const listeners = { steady, rare, late };
  await Promise.all(Object.values(listeners).map((listener) => listener.open(server)));
  const end = `${publishers}:0:end`;
  book.acknowledge(end, await publish(t, server, 'crash/0', end));
  await Promise.all(Object.values(listeners).map((listener) => listener.readUpTo(end)));
  const { tried, acknowledged, refused } = book.counts;
  t.diagnostic(`${rounds} crashes: ${tried} events sent, ${acknowledged} acknowledged, ${refused} refused, ${late.events.length} stored`);
  assert.ok(acknowledged > rounds, 'publishers got somewhere');
  return { book, server, listeners };
}

// Nothing was promised that is missing, so no gap is told.
export function checkNothingMissing({ book, listeners }) {
  for (const [name, listener] of Object.entries(listeners)) {
    assert.deepEqual(listener.gaps, [], `${name}: nothing is missing, so no gap is told`);
    assert.equal(listener.check(book), 0, name);
  }
}
