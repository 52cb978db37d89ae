// Watching a topic: every event is counted, and as many are shown as somebody can read. Ten times a second at most so many
// of those that came are handed on, evenly from among them; what the server says itself (a gap) always is.

import { isControl, parse } from '../shared/sse.js';
import { encodeTopic } from './api.js';
import { openStream } from './stream.js';

const every = 100;
const shownEach = 10;

// Of `blocks`, so many at most, and always the last of them.
function sample(blocks) {
  const step = blocks.length / shownEach;
  return blocks.filter((block, index) => isControl(block) || step <= 1 || Math.floor((index + 1) / step) > Math.floor(index / step));
}

// `start`: query parameters that say where to begin. `on`: { events(events), counted({ heard, shown, perSecond }), state(…) }.
export function watch(topic, start, on) {
  let waiting = [];
  let heard = 0;
  let shown = 0;
  let recent = []; // [when, heard] of the last second
  const end = openStream(`events/${encodeTopic(topic)}?${new URLSearchParams(start)}`, {
    state: on.state,
    blocks(blocks) {
      heard += blocks.length;
      // Sampled already here, so that what waits is bounded, whatever comes at once.
      waiting.push(...sample(blocks));
      if (waiting.length > 50 * shownEach) {
        waiting = sample(waiting);
      }
    },
  });
  const timer = setInterval(() => {
    const now = performance.now();
    recent = [...recent.filter(([at]) => now - at < 1000), [now, heard]];
    const [[since, before]] = recent;
    if (waiting.length) {
      const events = sample(waiting).map(parse);
      waiting = [];
      shown += events.length;
      on.events(events);
    }
    on.counted({ heard, shown, perSecond: now > since ? ((heard - before) * 1000) / (now - since) : 0 });
  }, every);
  return () => {
    clearInterval(timer);
    end();
  };
}
