// Watching a topic: every event is counted, and as many are shown as somebody can read: the first thousand at once, then fifty
// a second. Of more than that some are handed on, evenly from among them; what the server says itself (a gap) always is.

import { parse } from '../shared/sse.js';
import { encodeTopic } from './api.js';
import { sample } from './sample.js';
import { openStream } from './stream.js';

const every = 100;
const burst = 1000;
const perSecond = 50;

// `start`: query parameters that say where to begin. `on`: { events(events), counted({ heard, shown, rate }), state(…) }.
export function watch(topic, start, on) {
  let waiting = [];
  let heard = 0;
  let shown = 0;
  let room = burst; // how many may be shown now
  let recent = []; // [when, heard] of the last second
  const end = openStream(`events/${encodeTopic(topic)}?${new URLSearchParams(start)}`, {
    state: on.state,
    blocks(blocks) {
      heard += blocks.length;
      waiting = waiting.concat(blocks);
      if (waiting.length > 4 * burst) {
        waiting = sample(waiting, burst); // so that what waits is bounded, whatever comes at once
      }
    },
  });
  const timer = setInterval(() => {
    const now = performance.now();
    recent = [...recent.filter(([at]) => now - at < 1000), [now, heard]];
    const [[since, before]] = recent;
    room = Math.min(room + (perSecond * every) / 1000, burst);
    if (waiting.length && room >= 1) {
      const events = sample(waiting, Math.floor(room)).map(parse);
      room -= events.length;
      waiting = [];
      shown += events.length;
      on.events(events);
    }
    on.counted({ heard, shown, rate: now > since ? ((heard - before) * 1000) / (now - since) : 0 });
  }, every);
  return () => {
    clearInterval(timer);
    end();
  };
}
