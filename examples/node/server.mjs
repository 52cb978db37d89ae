// A page with a form. What is sent with it is published, and everybody who has the page open sees it: this program
// hands the event to freshet with one request and is done, however many people listen.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const freshet = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
const token = process.env.FRESHET_TOKEN; // one that may publish to `messages`, if freshet asks for it

// Publishes an event. A freshet that is away or busy is asked again for a while, by the same Idempotency-Key: if only
// the answer was lost, the event is not published twice.
async function publish(topic, type, value) {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': `"${randomUUID()}"` };
  if (token) {
    headers.Authorization = `Bearer ${token}`;
  }
  const url = `${freshet}/events/${topic}?event=${type}`;
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(value), signal: AbortSignal.timeout(5000) });
      if (answer.ok) {
        return (await answer.json()).id;
      }
      const problem = new Error(`freshet says ${answer.status}: ${await answer.text()}`);
      if (answer.status < 500 && answer.status !== 429) {
        throw Object.assign(problem, { final: true }); // asking again would not help
      }
      throw problem;
    } catch (error) {
      if (error.final || attempt === 6) {
        throw error;
      }
      await pause(100 * 2 ** attempt);
    }
  }
}

async function readText(request) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > 10_000) {
      throw new Error('too long');
    }
  }
  return new URLSearchParams(body).get('text') ?? '';
}

const page = readFileSync(new URL('page.html', import.meta.url), 'utf8').replace('{{freshet}}', freshet).replace('{{direct}}', '');

async function answer(request, response) {
  if (request.method === 'GET' && request.url === '/') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
  } else if (request.method === 'POST' && request.url === '/say') {
    const text = await readText(request);
    await publish('messages', 'said', { text, at: Date.now() });
    response.writeHead(204).end();
  } else {
    response.writeHead(404).end();
  }
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.writeHead(502).end();
  });
});
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
