// How many bytes a message took. Two books are kept, because browsers do not tell everything: what the client itself could
// count, frame by frame, and what the browser says of a whole response once it has ended (Resource Timing). Neither is
// ever estimated.

const RECORDS = 50;
const encoder = new TextEncoder();

export const textBytes = (text) => encoder.encode(text).length;

// An event of an event stream, as freshet writes it before compression.
export function eventStreamBytes({ id, type, data }) {
  const lines = data.split('\n').map((line) => `data: ${line}\n`).join('');
  return textBytes(`${id ? `id: ${id}\n` : ''}${type === 'message' ? '' : `event: ${type}\n`}${lines}\n`);
}

// A text message of a server, which does not mask (RFC 6455, 5.2).
export function webSocketBytes(text) {
  const length = textBytes(text);
  return length + (length < 126 ? 2 : length < 65_536 ? 4 : 10);
}

export class Wire {
  counted = 0; // bytes, by the client
  messages = 0; // all that it counts them over
  #records = []; // of connections: { at, messages, bytes }; `bytes` once the browser has told them
  #responses = { bytes: 0, count: 0 };

  // A connection has opened.
  begin() {
    this.#records.push({ at: performance.now(), messages: 0, bytes: 0 });
    this.#records.splice(0, this.#records.length - RECORDS);
  }

  add(bytes) {
    this.counted += bytes;
  }

  count() {
    this.messages++;
    const record = this.#records.at(-1);
    record && record.messages++;
  }

  // What the browser says of a stream that has ended. It says 0 of one that the page itself closed.
  ended({ startTime, responseEnd, encodedBodySize }) {
    const record = this.#records.find(({ at }) => at >= startTime && at <= responseEnd);
    if (record && encodedBodySize > 0) {
      record.bytes = encodedBodySize;
    }
  }

  // What it says of one answer of many.
  answered({ transferSize }) {
    this.#responses.bytes += transferSize;
    this.#responses.count++;
  }

  get perMessageCounted() {
    return this.messages && this.counted ? this.counted / this.messages : undefined;
  }

  get perMessageEnded() {
    const told = this.#records.filter(({ bytes, messages }) => bytes && messages);
    const sum = (of) => told.reduce((all, each) => all + each[of], 0);
    return told.length ? sum('bytes') / sum('messages') : undefined;
  }

  get perMessageAnswered() {
    return this.messages && this.#responses.bytes ? this.#responses.bytes / this.messages : undefined;
  }
}

// Calls take(name, entry) for each response that ended whose URL has the parameter lab=name.
export function watchResponses(take) {
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const name = new URL(entry.name).searchParams.get('lab');
      name && take(name, entry);
    }
    performance.clearResourceTimings();
  }).observe({ type: 'resource', buffered: true });
}
