// What one client has measured. Latencies are of messages that this page published itself, because only then both clocks
// are one, and that were sent while the client was open: what it caught up on later is counted apart. It keeps the last
// ten messages and the last ten thousand latencies.

import { Sequences } from './sequences.js';
import { Wire } from './wire.js';

const LATENCIES = 10_000;
const SAMPLES = 2_000;
const RECENT = 10;
const SPANS = 50;

// Milliseconds since 1970, finer than Date.now(), and of the same clock for all of the page.
export const now = () => performance.timeOrigin + performance.now();

function numberAt(sorted, share) {
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] : undefined;
}

export class Measures {
  received = 0;
  caughtUp = 0;
  gaps = 0;
  reconnects = 0;
  connectMs = undefined;
  sequences = new Sequences();
  wire = new Wire();
  recent = []; // newest first
  samples = []; // { at, ms }: for the plot
  spans = []; // { from, to }: when it was open; `to` is undefined while it is
  #latencies = [];
  #next = 0;
  #sorted; // until the next latency
  #openSince = Infinity;

  // After so long; undefined when nobody can tell, because the browser chose when to try.
  opened(ms) {
    this.connectMs = ms ?? this.connectMs;
    this.#openSince = now();
    this.spans.push({ from: this.#openSince, to: undefined });
    this.spans.splice(0, this.spans.length - SPANS);
    this.wire.begin();
  }

  // It was lost, or nobody wants it any more.
  closed() {
    this.#openSince = Infinity;
    const span = this.spans.at(-1);
    if (span) {
      span.to ??= now();
    }
  }

  // How long it was away the last time; undefined when it has not come back.
  get awayMs() {
    const [before, after] = this.spans.slice(-2);
    return after && after.from - before.to;
  }

  // `message` is what a publisher of the lab wrote; `own`: this page did.
  take(message, own) {
    const at = now();
    const isNew = this.sequences.note(message.from, message.seq);
    const late = message.sentAt < this.#openSince;
    const ms = own ? Math.max(0, at - message.sentAt) : undefined;
    this.received++;
    this.caughtUp += late ? 1 : 0;
    this.wire.count();
    this.recent.unshift({ at, ms, late, isNew, ...message });
    this.recent.length = Math.min(this.recent.length, RECENT);
    own && !late && this.#measure(at, ms);
  }

  #measure(at, ms) {
    this.#latencies[this.#next] = ms;
    this.#next = (this.#next + 1) % LATENCIES;
    this.#sorted = undefined;
    this.samples.push({ at, ms });
    this.samples.splice(0, this.samples.length - SAMPLES);
  }

  get averageMs() {
    const { length } = this.#latencies;
    return length ? this.#latencies.reduce((sum, ms) => sum + ms, 0) / length : undefined;
  }

  get p99Ms() {
    this.#sorted ??= Float64Array.from(this.#latencies).sort();
    return numberAt(this.#sorted, 0.99);
  }
}
