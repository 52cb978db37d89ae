// docs/openapi.json and the running server say the same: every path and method of the router is in the file and the
// reverse; every example of a request is answered as the file says, in status, type, headers and body; whoever shows no
// token is refused exactly where the file says so; and what is wrong is refused in the form of the file.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before } from 'node:test';
import { rights, root, secret, serve, test, token, until, within } from '../integration/harness/index.mjs';
import { complaints, follow } from './schema.mjs';

const api = JSON.parse(readFileSync(path.join(root, 'docs/openapi.json'), 'utf8'));
const methods = ['get', 'head', 'post', 'delete', 'options'];
const operations = Object.entries(api.paths).flatMap(([route, item]) => methods.filter((method) => item[method])
  .map((method) => ({ route, method, item, ...item[method] })));
const everything = token({ ...rights(['**'], ['**']), sub: 'docs', freshet: { subscribe: ['**'], publish: ['**'], admin: true } });
const authorization = `Bearer ${everything}`;

// One server for all, that wants tokens. What serve() leaves to the end of a test comes at the end of the file.
let server;
const endings = [];
before(async () => {
  server = await serve({ after: (end) => endings.push(end) }, ['--jwt-secret', secret, '--max-body', '64k']);
});
after(async () => {
  for (const end of endings) {
    await end();
  }
});

const ask = (target, options = {}) => within(fetch(`${server.url}${target}`, { redirect: 'manual', ...options }), target);

// An open stream of this topic: its name, and how to end it.
async function openStream(topic) {
  const ending = new AbortController();
  const response = await ask(`/events/${topic}?control=1`, { headers: { authorization }, signal: ending.signal });
  const reader = response.body.getReader();
  let text = '';
  while (!/[0-9a-f]{34}/.test(text)) {
    text += Buffer.from((await within(reader.read(), 'the name of the stream')).value).toString();
  }
  return { name: text.match(/[0-9a-f]{34}/)[0], end: () => ending.abort() };
}

const listed = async (topic) => (await ask(`/api/connections?topic=${topic}`, { headers: { authorization } })).json();
const idOf = async (topic) => (await listed(topic)).connections[0].id;

// ---- the paths

// The rows of the router's table as paths of the file, each with the methods that it allows. A page of the console is no
// part of the API.
function routesOfRouter() {
  const source = readFileSync(path.join(root, 'src/server/router.c'), 'utf8');
  const rows = [...source.matchAll(/^ {4}\{"(\/[^"]*)",\s*(NULL|"[^"]*"),\s*"([A-Z, ]+)"([^}]*)\}/gm)].filter((row) => !row[4].includes('route_asset'));
  assert.ok(rows.length > 5, 'the table of the router can be read');
  return new Map(rows.map(([, prefix, suffix, allow]) => {
    const below = prefix.length > 1 && prefix.endsWith('/');
    return [`${prefix}${below ? '{}' : ''}${suffix === 'NULL' ? '' : JSON.parse(suffix)}`, allow.toLowerCase().split(', ').sort()];
  }));
}

test('every path and method of the router is in the file, and the reverse', () => {
  const documented = new Map(Object.entries(api.paths).map(([route, item]) =>
    [route.replace(/\{\w+\}/, '{}'), methods.filter((method) => item[method]).sort()]));
  assert.deepEqual(Object.fromEntries([...documented].sort()), Object.fromEntries([...routesOfRouter()].sort()));
});

test('names of operations are not used twice, and references lead somewhere', () => {
  const names = operations.map(({ operationId }) => operationId);
  assert.equal(new Set(names).size, names.length);
  for (const [, target] of JSON.stringify(api).matchAll(/"\$ref":\s*"([^"]+)"/g)) {
    assert.ok(follow(api, { $ref: target }), target);
  }
});

// ---- examples of requests

const parametersOf = ({ item, parameters = [] }) => [...item.parameters ?? [], ...parameters].map((parameter) => follow(api, parameter));

// The URL with the examples of the parameters; `values` are those that only the server can tell.
function targetOf(operation, values = {}) {
  const query = new URLSearchParams();
  let target = operation.route;
  for (const parameter of parametersOf(operation)) {
    const value = parameter.in === 'path' ? values[parameter.name] ?? parameter.example : parameter.example;
    if (value === undefined) {
      continue;
    }
    assert.deepEqual(complaints(api, parameter.schema, value, parameter.name), [], operation.operationId);
    if (parameter.in === 'path') {
      target = target.replace(`{${parameter.name}}`, value);
    } else if (parameter.in === 'query') {
      [value].flat().forEach((each) => query.append(parameter.name, each));
    }
  }
  return query.size ? `${target}?${query}` : target;
}

// [{ what, type, body }]: each example of a body, or none.
function bodiesOf({ operationId, requestBody }) {
  if (!requestBody) {
    return [{ what: operationId }];
  }
  return Object.entries(requestBody.content).flatMap(([type, { schema, examples }]) => Object.entries(examples).map(([name, { value }]) => {
    assert.deepEqual(complaints(api, schema, value), [], `${operationId}, ${name}`);
    return { what: `${operationId}, ${name}`, type, body: typeof value === 'string' ? value : JSON.stringify(value) };
  }));
}

// A stream is read up to the end of its first event.
async function textOf(response) {
  if (response.headers.get('content-type') !== 'text/event-stream') {
    return response.text();
  }
  const reader = response.body.getReader();
  let text = '';
  while (!text.includes('\n\n')) {
    text += Buffer.from((await within(reader.read(), 'an event')).value).toString();
  }
  await reader.cancel();
  return text;
}

// The response is one of those that the operation has.
async function check(operation, response, what) {
  const said = follow(api, operation.responses[response.status]);
  const text = operation.method === 'head' ? '' : await textOf(response);
  assert.ok(said, `${what}: ${response.status} is not in the file: ${text}`);
  for (const [name, header] of Object.entries(said.headers ?? {})) {
    const { required, schema } = follow(api, header);
    const value = response.headers.get(name);
    assert.ok(value !== null || !required, `${what}: no ${name}`);
    assert.deepEqual(value === null ? [] : complaints(api, schema, schema.type === 'integer' ? Number(value) : value, name), [], what);
  }
  if (!said.content || operation.method === 'head') {
    assert.equal(text, '', what);
    return;
  }
  const type = response.headers.get('content-type').split(';')[0];
  const { schema, 'x-line-schema': line } = said.content[type] ?? assert.fail(`${what}: ${type} is not in the file`);
  assert.deepEqual(complaints(api, schema, /json$/.test(type) && !line ? JSON.parse(text) : text), [], `${what}\n${text}`);
  for (const each of line ? text.split('\n').filter(Boolean) : []) {
    assert.deepEqual(complaints(api, line, JSON.parse(each)), [], `${what}\n${each}`);
  }
}

const publish = (topic, data = 'hello') => ask(`/events/${topic}`, { method: 'POST', body: data, headers: { authorization } });

// Sends each example, for each type that the answer can have.
async function tryOut(operation, values) {
  const types = operation.method === 'get' ? Object.keys(operation.responses['200'].content) : ['*/*'];
  for (const accept of types) {
    for (const { what, type, body } of bodiesOf(operation)) {
      const response = await ask(targetOf(operation, values), {
        method: operation.method.toUpperCase(), body,
        headers: { authorization, accept: accept === 'text/html' ? '*/*' : accept, ...(type && { 'content-type': type }) },
      });
      assert.ok(response.status < 300, `${what}: ${response.status}`);
      await check(operation, response, `${what}, ${accept}`);
    }
  }
}

for (const operation of operations) {
  test(`${operation.method.toUpperCase()} ${operation.route}: the examples are answered as the file says`, async () => {
    await publish('news'); // what there is to hear, to list and to purge
    const stream = /\{(name|id)\}/.test(operation.route) ? await openStream('room/6') : undefined;
    try {
      await tryOut(operation, { name: stream?.name, id: stream && await idOf('room/6') });
    } finally {
      stream?.end();
    }
  });
}

test('a listener is listed as the file says', async () => {
  const stream = await openStream('listed');
  const operation = operations.find(({ operationId }) => operationId === 'connections');
  const response = await ask('/api/connections?topic=listed', { headers: { authorization } });
  assert.equal((await response.clone().json()).connections.length, 1);
  await check(operation, response, 'connections');
  stream.end();
  await until(async () => (await listed('listed')).total === 0, 'it is gone');
});

// ---- refusals

test('whoever shows no token is refused where the file says so, and nowhere else', async () => {
  const stream = await openStream('news');
  for (const operation of operations) {
    const [{ type, body }] = bodiesOf(operation);
    const response = await ask(targetOf(operation, { name: stream.name }), {
      method: operation.method.toUpperCase(), body, headers: type ? { 'content-type': type } : {},
    });
    assert.equal(response.status === 401, '401' in operation.responses,
      `${operation.operationId}: ${response.status}`);
    if (response.status === 401) {
      await check(operation, response, operation.operationId);
    } else {
      await response.body?.cancel();
    }
  }
  stream.end();
});

const json = { 'content-type': 'application/json' };
const refusals = [
  ['subscribe', 400, '/events'],
  ['subscribe', 400, '/events?topic=news&last=many'],
  ['subscribe', 406, '/events?topic=news', { headers: { accept: 'image/png' } }],
  ['subscribeTopic', 400, '/events/a/**/b'],
  ['publish', 400, '/events', { method: 'POST', headers: json, body: '{' }],
  ['publish', 400, '/events', { method: 'POST', headers: json, body: '{"topic":"news"}' }],
  ['publish', 415, '/events', { method: 'POST', headers: { 'content-type': 'image/png' }, body: 'x' }],
  ['publish', 413, '/events', { method: 'POST', headers: json, body: JSON.stringify({ topic: 'news', data: 'x'.repeat(70_000) }) }],
  ['publishTopic', 400, '/events/room/*', { method: 'POST', body: 'x' }],
  ['publishTopic', 413, '/events/news', { method: 'POST', body: 'x'.repeat(70_000) }],
  ['purge', 404, '/api/topics/never', { method: 'DELETE' }],
  ['purge', 400, '/api/topics/*', { method: 'DELETE' }],
  ['topics', 400, '/api/topics?limit=0'],
  ['connections', 400, '/api/connections?limit=many'],
  ['close', 404, '/api/connections/18446744073709551615', { method: 'DELETE' }],
  ['changeTopics', 404, `/api/connections/${'0'.repeat(34)}/topics`, { method: 'POST', headers: json, body: '{}' }],
  ['renew', 404, `/api/connections/${'0'.repeat(34)}/token`, { method: 'POST' }],
];

test('what is wrong is refused in the form that the file gives', async () => {
  for (const [operationId, status, target, options = {}] of refusals) {
    const operation = operations.find((each) => each.operationId === operationId);
    const response = await ask(target, { ...options, headers: { authorization, ...options.headers } });
    assert.equal(response.status, status, `${target}: ${await response.clone().text()}`);
    await check(operation, response, target);
  }
});

test('a key that was used for another event is refused as the file says', async () => {
  const once = (body) => ask('/events/once', { method: 'POST', body, headers: { authorization, 'idempotency-key': 'docs' } });
  assert.equal((await once('one')).status, 200);
  await check(operations.find(({ operationId }) => operationId === 'publishTopic'), await once('two'), 'another content');
});

// ---- the validator itself

test('a keyword that the validator does not know is an error', () => {
  assert.throws(() => complaints(api, { type: 'string', contentEncoding: 'base64' }, 'x'), /contentEncoding is not known/);
});

test('the validator finds what is wrong', () => {
  const schema = { type: 'object', required: ['a'], additionalProperties: false, properties: { a: { type: 'integer', minimum: 1 } } };
  assert.deepEqual(complaints(api, schema, { a: 1 }), []);
  assert.deepEqual(complaints(api, schema, { a: 0 }), ['.a is below 1']);
  assert.deepEqual(complaints(api, schema, { b: 1 }), ['.a is missing', '.b is not expected']);
  assert.equal(complaints(api, { anyOf: [{ type: 'string' }, schema] }, 7).length, 1);
});
