// What tests say to freshet again and again. The names of metrics and of JSON fields that more than one test
// relies on are here and nowhere else.

import assert from 'node:assert/strict';
import { until } from './env.mjs';
import { connect, request } from './socket.mjs';

const encodeTopic = (topic) => topic.split('/').map(encodeURIComponent).join('/');

// Publishes data as a raw body; returns the whole response.
export function post(t, server, topic, data, { headers = {}, ...parameters } = {}) {
  const query = new URLSearchParams(parameters).toString();
  return request(t, server, {
    method: 'POST',
    path: `/events/${encodeTopic(topic)}${query ? `?${query}` : ''}`,
    headers: { 'content-type': 'text/plain', ...headers },
    body: data,
  });
}

// Publishes and insists on success; returns the id.
export async function publish(t, server, topic, data, options) {
  const response = await post(t, server, topic, data, options);
  assert.equal(response.status, 200, response.body);
  return response.json().id;
}

// Publishes many times on one connection: returns a function that publishes and gives back the id.
export async function publisher(t, server, topic) {
  const socket = await connect(t, server);
  return async (data) => {
    const body = Buffer.from(data);
    const head = `POST /events/${encodeTopic(topic)} HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`;
    socket.send(Buffer.concat([Buffer.from(head), body]));
    const response = await socket.readResponse();
    assert.equal(response.status, 200, response.body);
    return response.json().id;
  };
}

// POST /events with a JSON value, or with text that is sent as it is.
export function postJson(t, server, value, type = 'application/json') {
  return request(t, server, {
    method: 'POST',
    path: '/events',
    headers: { 'content-type': type },
    body: typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value),
  });
}

// An error answer is application/problem+json with its status and a sentence.
export function assertProblem(response, status) {
  assert.equal(response.status, status, response.body);
  assert.match(response.headers['content-type'], /^application\/problem\+json/);
  const problem = JSON.parse(response.body);
  assert.equal(problem.status, status);
  assert.equal(typeof problem.title, 'string');
  assert.ok((problem.detail ?? problem.title).length > 0);
  return problem;
}

export async function getJson(t, server, path) {
  const response = await request(t, server, { path, headers: { accept: 'application/json' } });
  assert.equal(response.status, 200, response.body);
  assert.match(response.headers['content-type'], /^application\/json/);
  return response.json();
}

// Prometheus text to a map of "name{labels}" to number. Throws on a line that is not of the format.
export function parseMetrics(text) {
  const samples = new Map();
  const types = new Map();
  assert.ok(text.endsWith('\n'), 'the last line of /metrics ends with a newline');
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = line.match(/^# (?:HELP ([a-zA-Z_:][\w:]*) .*|TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped))$/);
    const sample = line.match(/^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*\})?) (-?[\d.e+-]+|\+Inf|-Inf|NaN)$/);
    assert.ok(comment || sample, `not Prometheus text: ${JSON.stringify(line)}`);
    if (comment?.[2]) {
      assert.ok(!types.has(comment[2]), `${comment[2]} has two TYPE lines`);
      types.set(comment[2], comment[3]);
    } else if (sample) {
      assert.ok(!samples.has(sample[1]), `${sample[1]} appears twice`);
      samples.set(sample[1], Number(sample[2].replace('Inf', 'Infinity')));
    }
  }
  return { samples, types };
}

export async function metrics(t, server) {
  const response = await request(t, server, { path: '/metrics' });
  assert.equal(response.status, 200, response.body);
  return parseMetrics(response.body);
}

// One metric, summed over its labels; with `label`, only the samples that carry it.
export async function metric(t, server, name, label) {
  const { samples } = await metrics(t, server);
  let sum;
  for (const [key, value] of samples) {
    if ((key === name || key.startsWith(`${name}{`)) && (!label || key.includes(label))) {
      sum = (sum ?? 0) + value;
    }
  }
  return sum;
}

// How often a limit was hit, by the name of its setting.
export async function limitHits(t, server, setting) {
  return (await metric(t, server, 'freshet_limit_hits_total', `limit="${setting}"`)) ?? 0;
}

// Connections that hold a subscription.
export function subscribers(t, server) {
  return metric(t, server, 'freshet_subscribers');
}

export function untilSubscribers(t, server, count, ms) {
  return until(async () => (await subscribers(t, server)) === count, `there are ${count} subscribers`, ms);
}

// /api/topics as an array of { topic, subscribers, … }; /api/connections as an array of { topics, … }.
export async function apiTopics(t, server) {
  return (await getJson(t, server, '/api/topics')).topics;
}

export async function apiConnections(t, server) {
  return (await getJson(t, server, '/api/connections')).connections;
}

// "<ms>-<n>" as a number that compares in the order of the log.
export function order(id) {
  const [, ms, n] = id.match(/^(\d+)-(\d+)$/) ?? assert.fail(`not an id of freshet's own: ${id}`);
  return (BigInt(ms) << 64n) + BigInt(n);
}

export function assertRising(ids) {
  for (let i = 1; i < ids.length; i++) {
    assert.ok(order(ids[i - 1]) < order(ids[i]), `${ids[i]} does not follow ${ids[i - 1]}`);
  }
}
