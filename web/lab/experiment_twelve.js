// Opens twelve streams at once and counts how many open. Over HTTP/1.1 a browser holds six connections to a server, and
// the seventh waits; the cures are tried as well: one stream for twelve topics, and WebSockets, which have another limit.
// Whatever happens, all that it opened is closed at the end.

export const COUNT = 12;
const FIRST_MS = 15_000; // the first of them has so long
const QUIET_MS = 2500; // then each next one, or three times as long as the one before
const ROOM_MS = 15_000;

// What the browser speaks with the server: of its own page, which came over the same connections.
export function protocol() {
  return performance.getEntriesByType('navigation')[0]?.nextHopProtocol || 'unknown';
}

export const protocolName = (name) => ({ 'http/1.1': 'HTTP/1.1', h2: 'HTTP/2', h3: 'HTTP/3' })[name] ?? name;

class Streams {
  times = []; // how long each took, in the order of opening
  #open = new Map(); // number to closer
  #all = [];
  #wake = () => {};

  // `start(number, opened)` begins one and returns what closes it.
  constructor(count, start, changed) {
    const begin = performance.now();
    for (let number = 0; number < count; number++) {
      const close = start(number, () => {
        if (!this.#open.has(number)) {
          this.times.push(performance.now() - begin);
          this.#open.set(number, close);
          changed(this.#open.size);
          this.#wake();
        }
      });
      this.#all.push(close);
    }
  }

  // Waits for the next to open; false when none does in time.
  #next(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  async settle() {
    const patience = () => (this.times.length ? Math.max(QUIET_MS, 3 * this.times.at(-1)) : FIRST_MS);
    while (this.times.length < this.#all.length && await this.#next(patience()));
    return this.times.length;
  }

  // Closes one that is open; how long until one that waits opens in its place.
  async makeRoom() {
    const begin = performance.now();
    const [[number, close]] = this.#open;
    this.#open.delete(number);
    const next = this.#next(ROOM_MS);
    close();
    return (await next) ? performance.now() - begin : undefined;
  }

  closeAll() {
    this.#all.forEach((close) => close());
  }
}

function openSource(url, opened) {
  const source = new EventSource(url);
  source.onopen = opened;
  // One that lost its server would knock again and again.
  source.onerror = () => source.close();
  return () => source.close();
}

function openSocket(url, opened) {
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url);
  socket.onopen = opened;
  return () => socket.close();
}

// The trials: how many connections or streams each wants, and how one is opened.
function trials(topic) {
  const topics = Array.from({ length: COUNT }, (_, i) => `${topic}/${i + 1}`);
  return [
    { name: 'sources', label: `${COUNT} EventSources, one topic each`, subscriptions: topics.map((each) => [each]), open: openSource },
    { name: 'one', label: `1 EventSource, ${COUNT} topics`, subscriptions: [topics], open: openSource },
    { name: 'sockets', label: `${COUNT} WebSockets, one topic each`, subscriptions: topics.map((each) => [each]), open: openSocket },
  ];
}

async function run(endpoint, { name, label, subscriptions, open }, progress) {
  const urls = [];
  for (const topics of subscriptions) {
    urls.push(endpoint.eventsUrl(topics, await endpoint.admission()));
  }
  const streams = new Streams(urls.length, (number, opened) => open(urls[number], opened), (opened) => progress(name, opened));
  try {
    const opened = await streams.settle();
    const { times } = streams;
    const row = { name, label, wanted: urls.length, opened, firstMs: times[0], lastMs: times[opened - 1], topics: subscriptions.flat().length };
    const roomMs = opened && opened < urls.length ? await streams.makeRoom() : undefined;
    return { ...row, roomMs };
  } finally {
    streams.closeAll();
  }
}

// The lanes and the publisher step aside, because their connections count too. `progress(name, opened)` as they open.
export async function openTwelve(lanes, publisher, endpoint, progress) {
  const published = publisher.running;
  await publisher.stop();
  const aside = lanes.filter(({ wanted }) => wanted).map((lane) => lane.pause());
  try {
    const rows = [];
    for (const trial of trials(endpoint.topic)) {
      rows.push(await run(endpoint, trial, progress));
    }
    return { protocol: protocol(), rows };
  } finally {
    aside.forEach(({ go }) => go());
    published && publisher.start();
  }
}
