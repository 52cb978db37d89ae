// Notifications for each user. Logging in sets two cookies: the session of this site, and a token (JWT) for freshet, that
// lets its bearer listen to their own topic and to nothing else. The browser shows it by itself with each request.

import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const freshet = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
const secretFile = process.env.FRESHET_JWT_SECRET_FILE ?? 'secret';
const secret = readFileSync(secretFile, 'utf8').replace(/\r?\n$/, ''); // freshet leaves the line feed away, too
const hour = 3600;

// A JSON Web Token by hand: three parts, the last of which signs the others. A library does the same.
function sign(claims) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ ...claims, exp: Math.floor(Date.now() / 1000) + hour })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const listenerToken = (user) => sign({ sub: user, freshet: { subscribe: ['users/{sub}/**'] } });
const publisherToken = () => sign({ sub: 'notifications', freshet: { publish: ['users/**'] } });

async function publish(user, type, value) {
  const headers = {
    'Content-Type': 'application/json',
    'Idempotency-Key': `"${randomUUID()}"`,
    Authorization: `Bearer ${publisherToken()}`,
  };
  for (let attempt = 1; ; attempt++) {
    const answer = await fetch(`${freshet}/events/users/${user}/notifications?event=${type}`, {
      method: 'POST', headers, body: JSON.stringify(value), signal: AbortSignal.timeout(5000),
    }).catch((error) => ({ status: 503, text: () => String(error) }));
    if (answer.ok) {
      return (await answer.json()).id;
    }
    if (attempt === 6 || (answer.status < 500 && answer.status !== 429)) {
      throw new Error(`freshet says ${answer.status}: ${await answer.text()}`);
    }
    await pause(100 * 2 ** attempt);
  }
}

// What a real site has in its database. `cursor` is the id of the last event that the list has in it already: a page
// takes both and listens from there, so that nothing falls between the two.
const sessions = new Map();
const boxes = new Map(['ann', 'bob'].map((user) => [user, { cursor: 'earliest', notes: [] }]));

// One thing after the other for each user, so that list and cursor change together.
function change(box, act) {
  const done = (box.last ?? Promise.resolve()).then(act);
  box.last = done.catch(() => {});
  return done;
}

const notify = (user, from, text) => change(boxes.get(user), async () => {
  const note = { id: randomUUID(), from, text, at: Date.now(), read: false };
  const box = boxes.get(user);
  box.cursor = await publish(user, 'note', note);
  box.notes = [note, ...box.notes].slice(0, 100);
});

// That something was read is an event like any other: all tabs of the user hear it.
const markRead = (user) => change(boxes.get(user), async () => {
  const box = boxes.get(user);
  const ids = box.notes.filter(({ read }) => !read).map(({ id }) => id);
  if (ids.length > 0) {
    box.cursor = await publish(user, 'read', { ids });
    box.notes = box.notes.map((note) => ({ ...note, read: true }));
  }
});

const cookies = (request) => Object.fromEntries((request.headers.cookie ?? '').split('; ').map((pair) => pair.split('=')));
const userOf = (request) => sessions.get(cookies(request).session);

// HttpOnly: no script can read them. SameSite: no page of another site can use them. Over TLS add "Secure", and behind
// several host names a Domain that covers both.
const cookie = (name, value, age = hour) => `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${age}`;

async function readForm(request) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    if ((body += chunk).length > 10_000) {
      throw new Error('too long');
    }
  }
  return new URLSearchParams(body);
}

function logIn(response, user) {
  const session = randomBytes(24).toString('base64url');
  sessions.set(session, user);
  response.writeHead(303, { Location: '/', 'Set-Cookie': [cookie('session', session), cookie('freshet_token', listenerToken(user))] }).end();
}

function logOut(request, response) {
  sessions.delete(cookies(request).session);
  response.writeHead(303, { Location: '/', 'Set-Cookie': [cookie('session', '', 0), cookie('freshet_token', '', 0)] }).end();
}

const file = (name) => readFileSync(new URL(name, import.meta.url), 'utf8').replace('{{freshet}}', freshet);
const html = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' };

const routes = {
  'GET /': (request, response, user) => {
    const page = user ? file('page.html').replaceAll('{{user}}', user) : file('login.html');
    response.writeHead(200, html).end(page);
  },
  'GET /worker.js': (request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(file('worker.js'));
  },
  'POST /login': async (request, response) => {
    const user = (await readForm(request)).get('user');
    boxes.has(user) ? logIn(response, user) : response.writeHead(303, { Location: '/' }).end();
  },
  'POST /logout': logOut,
  'GET /notifications': (request, response, user) => change(boxes.get(user), () => {
    const { cursor, notes } = boxes.get(user);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(JSON.stringify({ cursor, notes }));
  }),
  // The token ends before the session does: the worker asks for a new one when freshet has sent it away.
  'POST /token': (request, response, user) => {
    response.writeHead(204, { 'Set-Cookie': cookie('freshet_token', listenerToken(user)) }).end();
  },
  'POST /notify': async (request, response, user) => {
    const form = await readForm(request);
    const to = form.get('to');
    if (boxes.has(to)) {
      await notify(to, user, form.get('text') ?? '');
    }
    response.writeHead(boxes.has(to) ? 204 : 400).end();
  },
  'POST /read': async (request, response, user) => {
    await markRead(user);
    response.writeHead(204).end();
  },
};
const open = new Set(['GET /', 'POST /login', 'GET /worker.js']);

const server = http.createServer(async (request, response) => {
  const name = `${request.method} ${request.url}`;
  const user = userOf(request);
  try {
    if (!routes[name]) {
      response.writeHead(404).end();
    } else if (!user && !open.has(name)) {
      response.writeHead(401).end();
    } else {
      await routes[name](request, response, user);
    }
  } catch (error) {
    console.error(error);
    response.writeHead(502).end();
  }
});
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
