// A disk that takes no more, in the middle of load, and later does again; with kills at any moment. What publishers were
// told is compared with what is there afterwards. FRESHET_BIG=1 does it hundreds of times, FRESHET_CRASHES=50 so often.

import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import {
  assertProblem, big, dataDirectory, limitFiles, metric, noRoom, post, publish, serve, subscribe, test, untilStoring,
} from './harness/index.mjs';
import { answer, Book, checkNothingMissing, keepPublishing, kill, post as postText, run } from './harness/crashes.mjs';

const crashes = Number(process.env.FRESHET_CRASHES ?? (big ? 300 : 5));
const patient = { timeout: 60_000 + crashes * 10_000 };

// Publishes one event after the other, each again and again until it is acknowledged, also by the server after the next.
class Insister {
  constructor(number) {
    this.topic = `insist/${number}`;
    this.make = number % 2 ? 'id' : 'key';
    this.book = new Book();
    this.open = undefined; // what has no good answer yet
    this.again = { refused: 0, restarted: 0 }; // events that were, before they were acknowledged
  }

  next() {
    const data = `${this.make} ${this.book.acknowledged.size} ${'x'.repeat(randomInt(0, 300))}`;
    return { data, name: randomUUID(), refused: false, server: undefined };
  }

  async publish(socket, server) {
    this.open ??= this.next();
    const { data, name } = this.open;
    const restarted = this.open.server && this.open.server !== server;
    this.open.server ??= server;
    this.book.attempt();
    socket.send(this.make === 'id'
      ? postText(`/events/${this.topic}?id=${name}`, 'text/plain', data)
      : postText(`/events/${this.topic}`, 'text/plain', data, `Idempotency-Key: ${name}\r\n`));
    const json = await answer(socket, this.book, 1);
    this.open.refused ||= !json;
    if (json) {
      this.again.refused += this.open.refused;
      this.again.restarted += this.open.refused && restarted;
      this.book.acknowledge(data, json.id);
      this.open = undefined;
    }
  }

  run(server) {
    return keepPublishing(server, (socket) => this.publish(socket, server));
  }

  // To the last one.
  async finish(t, server) {
    if (this.open) {
      const { data, name } = this.open;
      const options = this.make === 'id' ? { id: name } : { headers: { 'idempotency-key': name } };
      this.book.acknowledge(data, await publish(t, server, this.topic, data, options));
    }
    this.book.acknowledge('end', await publish(t, server, this.topic, 'end'));
  }

  // Once each, and in the order in which they were first stored, which is that of their being acknowledged.
  async check(t, server) {
    const stream = await subscribe(t, server, `/events/${this.topic}?last_event_id=earliest`);
    const events = await stream.takeUntil((event) => event.data === 'end');
    assert.deepEqual(events.map(({ data }) => data), [...this.book.acknowledged.keys()]);
    assert.deepEqual(events.map(({ id }) => id), [...this.book.acknowledged.values()]);
    stream.close();
  }
}

// All writes fail, or those behind some place in what there is: the end of a group that has begun well.
async function failWrites(t, server) {
  const used = await metric(t, server, 'freshet_history_file_bytes');
  limitFiles(server, randomInt(2) ? noRoom : randomInt(noRoom, Math.max(used, noRoom + 1)));
}

// The disk fails and recovers, perhaps several times; the kill comes while it works or while it does not.
async function failAndKill(t, server, book, round) {
  const steps = 1 + (round + randomInt(2)) % 4;
  for (let step = 0; step < steps; step++) {
    const works = step % 2 === 0;
    await book.more(works ? 'acknowledged' : 'refused', randomInt(1, 200), server);
    if (step + 1 < steps) {
      await (works ? failWrites(t, server) : limitFiles(server, 'unlimited'));
    } else if (works && randomInt(2)) { // in the middle of the group that fails
      await failWrites(t, server);
      await book.more('tried', randomInt(1, 50), server);
    }
  }
  kill(server);
}

test(`writes that fail and ${crashes} crashes: what was acknowledged is there once, what was refused at most once`, patient, async (t) => {
  const insisters = Array.from({ length: 4 }, (_, number) => new Insister(number));
  const result = await run(t, crashes, [], {
    disturb: (server, book, round) => failAndKill(t, server, book, round), others: insisters,
  });
  checkNothingMissing(result);
  assert.ok(result.book.counts.refused > 0, 'writes did fail');
  const again = { refused: 0, restarted: 0 };
  for (const insister of insisters) {
    await insister.finish(t, result.server);
    await insister.check(t, result.server);
    again.refused += insister.again.refused;
    again.restarted += insister.again.restarted;
  }
  t.diagnostic(`${again.refused} events were refused and stored later, ${again.restarted} of them by the next server`);
  assert.ok(again.refused > 0, 'what was refused was tried again');
});

test('what was refused can be tried again with its key or its own id, and is stored once', async (t) => {
  const data = dataDirectory(t);
  let server = await serve(t, ['--data', data]);
  const names = (name) => [{ headers: { 'idempotency-key': name } }, { id: name }];
  const tryAll = (name) => Promise.all(names(name).map((options, i) => post(t, server, 'a', `${name} ${i}`, options)));
  const refuseAll = async (name) => (await tryAll(name)).map((response) => assertProblem(response, 507).detail);
  const publishAll = async (name) => (await tryAll(name)).map((response) => {
    assert.equal(response.status, 200, response.body);
    return response.json().id;
  });

  limitFiles(server, noRoom);
  assert.match((await refuseAll('late')).join(), /it may yet be stored, but that is not sure/); // it waited when the disk failed
  assert.match((await refuseAll('early')).join(), /so nothing was published/);
  limitFiles(server, 'unlimited');
  await untilStoring(t, server);
  const stored = [await publishAll('late'), await publishAll('early')];
  assert.deepEqual([await publishAll('late'), await publishAll('early')], stored);

  limitFiles(server, noRoom);
  await refuseAll('late-again');
  await refuseAll('early-again');
  server.kill('SIGKILL');
  await server.ending();
  server = await serve(t, ['--data', data]);
  for (const name of ['late-again', 'early-again']) {
    stored.push(await publishAll(name));
    assert.deepEqual(await publishAll(name), stored.at(-1));
  }
  assert.deepEqual([await publishAll('late'), await publishAll('early')], stored.slice(0, 2));
  const end = await publish(t, server, 'a', 'end');
  const events = await (await subscribe(t, server, '/events/a?last_event_id=earliest')).takeUntil(({ id }) => id === end);
  assert.deepEqual(events.map(({ id }) => id).sort(), [...stored.flat(), end].sort());
});
