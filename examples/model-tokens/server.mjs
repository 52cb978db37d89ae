// Relays what a model says, token by token: the model's event stream becomes the body of one POST to freshet, event by
// event. Each answer is a topic. The page listens to that, so it may be reloaded in the middle, or opened twice: the model
// is asked only once and goes on talking.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { speak } from './model.mjs';

const freshet = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
const token = process.env.FRESHET_TOKEN; // one that may publish to `answers/*`, if freshet asks for it
const modelUrl = process.env.MODEL_URL; // …/v1/chat/completions of any model; without it, one that is made up
const modelKey = process.env.MODEL_KEY;
const running = new Map();

// Asks the model; gives its answer as a stream of bytes, already in the format of events:
//   data: {"choices":[{"delta":{"content":"Hel"}}]}
async function ask(question, signal) {
  if (!modelUrl) {
    return speak(question, signal);
  }
  const answer = await fetch(modelUrl, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(modelKey && { Authorization: `Bearer ${modelKey}` }) },
    body: JSON.stringify({ model: process.env.MODEL ?? 'default', stream: true, messages: [{ role: 'user', content: question }] }),
    signal,
  });
  if (!answer.ok) {
    throw new Error(`the model says ${answer.status}`);
  }
  return answer.body;
}

// A stream that can be read more than once, each time from its beginning.
class Recording {
  #chunks = [];
  #ended = false;
  #wake = () => {};
  #more;

  constructor(stream, last) {
    this.#next();
    this.#record(stream, last);
  }

  #next() {
    this.#wake();
    this.#more = new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  // Whatever becomes of the model, the last event says that the answer is over.
  async #record(stream, last) {
    const decoder = new TextDecoder();
    let reason = 'done';
    let rest = '';
    try {
      for await (const chunk of stream) {
        rest += decoder.decode(chunk, { stream: true });
        // Only whole events, which end with an empty line: half of one, before a model that breaks off, is of no use.
        const whole = rest.match(/^[^]*(\n\n|\r\n\r\n|\r\r)/)?.[0] ?? '';
        rest = rest.slice(whole.length);
        this.#chunks.push(Buffer.from(whole));
        this.#next();
      }
    } catch (error) {
      reason = error.name === 'AbortError' ? 'stopped' : 'broken';
    }
    this.#chunks.push(Buffer.from(`event: end\ndata: ${reason}\n\n`));
    this.#ended = true;
    this.#next();
    last();
  }

  async *read() {
    for (let at = 0; ; at++) {
      while (at === this.#chunks.length) {
        if (this.#ended) {
          return;
        }
        await this.#more;
      }
      yield this.#chunks[at];
    }
  }
}

// One POST, as long as the model talks: freshet publishes each event when it is complete. If the connection breaks, all
// of it is sent again by the same Idempotency-Key, and freshet publishes only what it does not have yet.
async function relay(id, recording) {
  const headers = { 'Content-Type': 'text/event-stream', 'Idempotency-Key': `"${id}"`, ...(token && { Authorization: `Bearer ${token}` }) };
  for (let attempt = 1; ; attempt++) {
    try {
      const body = ReadableStream.from(recording.read());
      const answer = await fetch(`${freshet}/events/answers/${id}`, { method: 'POST', headers, body, duplex: 'half' });
      if (answer.ok) {
        return;
      }
      throw Object.assign(new Error(`freshet says ${answer.status}: ${await answer.text()}`), { final: answer.status < 500 && answer.status !== 429 });
    } catch (error) {
      if (error.final || attempt === 20) {
        throw error;
      }
      await pause(Math.min(100 * 2 ** attempt, 5000));
    }
  }
}

async function begin(question) {
  const id = randomUUID(); // whoever knows it may listen: it cannot be guessed
  const controller = new AbortController();
  const recording = new Recording(await ask(question, controller.signal), () => running.delete(id));
  running.set(id, controller);
  relay(id, recording).catch((error) => console.error(error));
  return id;
}

async function readJson(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    if ((text += chunk).length > 100_000) {
      throw new Error('too long');
    }
  }
  return JSON.parse(text);
}

const page = readFileSync(new URL('page.html', import.meta.url), 'utf8').replace('{{freshet}}', freshet);

async function answer(request, response) {
  const name = `${request.method} ${request.url}`;
  if (name === 'GET /') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
  } else if (name === 'POST /ask') {
    const id = await begin(String((await readJson(request)).question));
    response.writeHead(201, { 'Content-Type': 'application/json' }).end(JSON.stringify({ id }));
  } else if (name === 'POST /stop') {
    running.get((await readJson(request)).id)?.abort();
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
