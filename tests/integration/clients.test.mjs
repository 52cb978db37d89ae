// Clients and parsers that others wrote, as they come: what they understand is what freshet's users get.

import assert from 'node:assert/strict';
import { EventSource } from 'eventsource';
import { createParser } from 'eventsource-parser';
import { connect, publish, serve, subscribeHead, test, until } from './harness/index.mjs';

test('the eventsource package hears events, and resumes when the server closes', async (t) => {
  const server = await serve(t, ['--retry', '50ms', '--max-age', '300ms']);
  const source = new EventSource(`${server.url}/events/a`);
  t.after(() => source.close());
  const heard = [];
  let opened = 0;
  source.addEventListener('message', (event) => heard.push(event.data));
  source.addEventListener('open', () => opened++);
  await until(() => opened, 'it is open');
  // One after the other, so that the order is the numbers'.
  for (let number = 0; opened < 4; number++) {
    await publish(t, server, 'a', String(number));
  }
  assert.deepEqual(heard, [...Array(heard.length).keys()].map((i) => String(i + Number(heard[0]))));
});

test('eventsource-parser understands every byte of a stream', async (t) => {
  const server = await serve(t, ['--heartbeat', '50ms']);
  const events = [];
  const comments = [];
  const errors = [];
  const retries = [];
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onComment: (comment) => comments.push(comment),
    onError: (error) => errors.push(error),
    onRetry: (ms) => retries.push(ms),
  });
  const socket = await connect(t, server);
  socket.send(subscribeHead(server, '/events/a'));
  await socket.readHead();
  const id = await publish(t, server, 'a', 'one\n\ntwo', { event: 'tick' });
  parser.feed(await socket.readUntil('\n\n'));
  parser.feed(await socket.readUntil(':\n'));
  assert.deepEqual(events, [{ id, event: 'tick', data: 'one\n\ntwo' }]);
  assert.deepEqual(errors, []);
  assert.equal(retries.length, 1);
  assert.ok(comments.length >= 2);
});
