// Traffic for pictures: publishers and listeners of a small shop, until `after` ends them.

import { setTimeout as pause } from 'node:timers/promises';

export const news = 'shop/orders';

const topics = [news, 'shop/stock', 'prices/eur', 'prices/usd', 'rooms/1/chat', 'rooms/2/chat', 'jobs/4711/progress', 'sensors/north/temperature'];
const events = [
  () => JSON.stringify({ order: 4000 + Math.floor(Math.random() * 999), total: (Math.random() * 90 + 9).toFixed(2), items: 3 }),
  () => JSON.stringify({ sku: 'FR-12', left: Math.floor(Math.random() * 40) }),
  () => (100 + Math.random() * 5).toFixed(3),
];

async function listen(url, signal) {
  try {
    const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal });
    for await (const piece of response.body) {
      void piece;
    }
  } catch {
    // It ends with the picture.
  }
}

async function publish(server, signal) {
  for (let n = 0; !signal.aborted; n++) {
    const items = Array.from({ length: 8 + Math.round(6 * Math.sin(n / 12)) }, (_, i) => {
      const at = (n * 7 + i * i) % topics.length;
      return { topic: topics[at], data: events[at % events.length](), ...(at === 0 && { event: n % 3 ? 'paid' : 'created' }) };
    });
    try {
      await fetch(`${server.url}/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(items), signal });
      await pause(60, undefined, { signal });
    } catch {
      return;
    }
  }
}

export async function busyServer(server, after) {
  const ending = new AbortController();
  const running = [...Array(40).keys()].map((n) => {
    const query = n % 5 === 0 ? 'topic=shop/*' : n % 7 === 0 ? 'topic=**' : `topic=${topics[n % topics.length]}`;
    return listen(`${server.url}/events?${query}`, ending.signal);
  });
  running.push(publish(server, ending.signal));
  after(async () => {
    ending.abort();
    await Promise.all(running);
  });
}
