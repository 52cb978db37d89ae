// A listener in Node: for await (const event of listen(url)). It needs nothing but fetch, which unlike a browser's
// EventSource can send headers, and so a token. It reconnects for ever and goes on after the last event.
//
// usage: node listen.mjs TOPIC…

import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

// Splits a stream of text into events: lines "name: value", ended by an empty line.
async function* parse(body) {
  let rest = '';
  let event = { type: '', data: [] };
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop(); // not complete yet
    for (const line of lines) {
      const [, name, value] = line.match(/^([^:]*):? ?([^]*)$/);
      if (line === '') {
        yield event;
        event = { type: '', data: [] };
      } else if (name === 'data') {
        event.data.push(value);
      } else if (name === 'event') {
        event.type = value;
      } else if (name === 'id') {
        event.id = value;
      } else if (name === 'retry' && /^\d+$/.test(value)) {
        yield { retry: Number(value) };
      } // a line that begins with a colon is a comment: a heartbeat
    }
  }
}

// Aborts when nothing has come for so long. freshet sends a comment after 15 seconds of silence, so 45 of them mean that
// the connection is dead, although neither side was told.
function watchdog(ms) {
  const controller = new AbortController();
  let timer;
  const feed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(), ms);
  };
  feed();
  const watch = new TransformStream({
    transform(chunk, out) {
      feed();
      out.enqueue(chunk);
    },
  });
  return { signal: controller.signal, watch, end: () => clearTimeout(timer) };
}

export async function* listen(url, { headers = {}, lastEventId = '' } = {}) {
  let retry = 3000;
  for (;;) {
    const dog = watchdog(45_000);
    try {
      const cursor = lastEventId ? { 'Last-Event-ID': lastEventId } : {};
      const answer = await fetch(url, { headers: { Accept: 'text/event-stream', ...headers, ...cursor }, signal: dog.signal });
      if (answer.status === 204) {
        return; // the server says: do not come back
      }
      if (answer.ok) {
        // Before the first event there is already a place to go on from.
        lastEventId ||= answer.headers.get('Last-Event-ID') ?? '';
        for await (const event of parse(answer.body.pipeThrough(dog.watch))) {
          retry = event.retry ?? retry;
          lastEventId = event.id ?? lastEventId;
          if (event.data?.length) {
            yield { type: event.type || 'message', id: lastEventId, data: event.data.join('\n') };
          }
        }
      } else if (answer.status < 500 && answer.status !== 429) {
        throw Object.assign(new Error(`${url}: ${answer.status} ${await answer.text()}`), { final: true });
      }
    } catch (error) {
      if (error.final) {
        throw error;
      }
    } finally {
      dog.end();
    }
    await pause(retry * (1 + Math.random())); // not all at once, when a server comes back
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const base = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
  const topics = process.argv.slice(2).map((topic) => `topic=${encodeURIComponent(topic)}`);
  const token = process.env.FRESHET_TOKEN;
  for await (const event of listen(`${base}/events?${topics.join('&')}`, { headers: token ? { Authorization: `Bearer ${token}` } : {} })) {
    console.log(`${event.id} ${event.type} ${event.data}`);
  }
}
