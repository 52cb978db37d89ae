// Streams that are told their names, and changing what they hear.

import assert from 'node:assert/strict';
import { postJson } from './api.mjs';
import { keepSecret } from './secrets.mjs';
import { request } from './socket.mjs';
import { subscribe } from './sse.mjs';

export const json = { 'content-type': 'application/json' };
export const pathOf = (name) => `/api/connections/${name}/topics`;
const textOf = (body) => (typeof body === 'string' ? body : JSON.stringify(body));

export const ask = (t, server, name, body, headers = json) =>
  request(t, server, { method: 'POST', path: pathOf(name), headers, body: textOf(body) });

export async function change(t, server, name, body) {
  const response = await ask(t, server, name, body);
  assert.equal(response.status, 200, response.body);
  assert.match(response.headers['content-type'], /^application\/json/);
  return response.json();
}

// A stream and the name that it was told.
export async function open(t, server, path) {
  const stream = await subscribe(t, server, `${path}${path.includes('?') ? '&' : '?'}control=1`);
  return named(stream);
}

export async function named(stream) {
  const first = await stream.next();
  assert.deepEqual([first.event, first.id], ['freshet.connection', undefined]);
  const { connection, cursor } = JSON.parse(first.data);
  stream.name = keepSecret(connection, 'the name of a connection');
  stream.cursor = cursor;
  return stream;
}

// The next event that is not the server's own.
export async function next(stream) {
  for (;;) {
    const event = await stream.next();
    if (!event.event.startsWith('freshet.')) {
      return event;
    }
  }
}

export const publishMany = async (t, server, topic, count, text = '') => {
  const events = Array.from({ length: count }, (_, i) => ({ topic, data: `${topic} ${i}${text}` }));
  return (await postJson(t, server, events)).json().map(({ id }) => id);
};
