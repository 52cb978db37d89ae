// The figures of the server, from its event stream: the last minutes of them, as rates where they are counters. Tells who
// listens by the events "figures" and "state" of `live`.

import { openStream } from './stream.js';
import { parse } from '../shared/sse.js';

export const minutes = 5;
const most = minutes * 60 + 1;

class Live extends EventTarget {
  samples = []; // { at, now, …rates a second }, oldest first
  state = 'connecting';
  problem = undefined;
  #last;
  #end;

  start() {
    this.stop();
    this.#end = openStream('api/live', {
      state: (state, problem) => this.#setState(state, problem),
      blocks: (blocks) => {
        const figures = blocks.map(parse).filter(({ type }) => type === 'freshet.stats');
        figures.forEach(({ data }) => this.#take(JSON.parse(data)));
      },
    });
  }

  stop() {
    this.#end?.();
    this.#end = undefined;
  }

  get runs() {
    return this.#end !== undefined;
  }

  #setState(state, problem) {
    this.state = state;
    this.problem = problem;
    this.dispatchEvent(new Event('state'));
  }

  #take(now) {
    const before = this.#last;
    const goesOn = before && before.started === now.started && now.at > before.at;
    this.#last = now;
    const rate = (name) => (goesOn ? Math.max(0, now[name] - before[name]) / ((now.at - before.at) / 1000) : null);
    this.samples.push({
      at: now.at,
      now,
      published: rate('published'),
      publishedBytes: rate('published_bytes'),
      delivered: rate('delivered'),
      deliveredBytes: rate('delivered_bytes'),
      sends: rate('sends'),
      errors: goesOn ? rate('refused') + rate('unstored') + rate('gaps') + rate('inbox_overflows') : null,
    });
    this.samples.splice(0, this.samples.length - most);
    this.dispatchEvent(new Event('figures'));
  }
}

export const live = new Live();

// Over HTTP/1.1 a browser has six connections to a server, for all its tabs: one that nobody looks at gives its own back. What
// it misses is not lost, because the figures are counted from the server's start.
const patience = 30_000;
let leaving;
document.addEventListener('visibilitychange', () => {
  clearTimeout(leaving);
  if (document.hidden) {
    leaving = setTimeout(() => live.stop(), patience);
  } else if (!live.runs) {
    live.start();
  }
});
