// A market of a thousand symbols, made up: every quarter of a second some hundred prices change, and all changes go to
// freshet in one request. This program knows nothing of who watches.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const freshet = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
const token = process.env.FRESHET_TOKEN; // one that may publish to `prices`, if freshet asks for it
const period = 250;

// Three letters each, from AAA on; a walk at random.
const symbols = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(65 + Math.floor(i / 100), 65 + Math.floor(i / 10) % 10, 65 + i % 10));
const prices = new Map(symbols.map((symbol) => [symbol, { price: 20 + Math.round(Math.random() * 40_000) / 100, told: 0 }]));
let paused = false;

function move(symbol, now) {
  const entry = prices.get(symbol);
  const step = entry.price * (Math.random() - 0.5) * 0.02;
  entry.price = Math.max(1, Math.round((entry.price + step) * 100) / 100);
  entry.told = now;
}

// Symbols that move now, and those that have not moved for ten seconds: history keeps so many events of a topic and drops
// the oldest, so what is never said again would be dropped at last, and who comes late would not see it.
function choose(now) {
  const chosen = new Set(symbols.filter((symbol) => now - prices.get(symbol).told > 10_000).slice(0, 300));
  while (chosen.size < 100) {
    chosen.add(symbols[Math.floor(Math.random() * symbols.length)]);
  }
  return [...chosen];
}

// A line of JSON for each event. The key is what the event is a new value of.
async function publish(changed) {
  const lines = changed.map((symbol) => JSON.stringify({ topic: 'prices', key: symbol, data: [symbol, prices.get(symbol).price] }));
  const answer = await fetch(`${freshet}/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson', ...(token && { Authorization: `Bearer ${token}` }) },
    body: lines.join('\n'),
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) {
    throw new Error(`freshet says ${answer.status}: ${await answer.text()}`);
  }
}

// What could not be published is published next time, with the price that it has then: nobody needs the older ones.
async function trade() {
  const unsaid = new Set(symbols);
  for (;; await pause(period)) {
    const now = Date.now();
    if (!paused) {
      choose(now).forEach((symbol) => {
        move(symbol, now);
        unsaid.add(symbol);
      });
    }
    const changed = [...unsaid];
    if (changed.length > 0) {
      await publish(changed).then(() => unsaid.clear(), (error) => {
        if (!error.cause) { // otherwise freshet is away: it will be back
          console.error(error);
        }
      });
    }
  }
}

const page = readFileSync(new URL('page.html', import.meta.url), 'utf8').replace('{{freshet}}', freshet);
const routes = {
  'GET /': (response) => response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page),
  'GET /prices.json': (response) => {
    const list = Object.fromEntries([...prices].map(([symbol, { price }]) => [symbol, price]));
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(list));
  },
  'POST /pause': (response) => {
    paused = !paused;
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ paused }));
  },
};

const server = http.createServer((request, response) => {
  const route = routes[`${request.method} ${request.url}`];
  route ? route(response) : response.writeHead(404).end();
});
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
trade();
