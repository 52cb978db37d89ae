// An event stream that comes back: as EventSource does, but with a token, and in blocks of text of which most need not be
// taken apart. After a break it goes on behind the last id that it has seen.

import { createSplitter, isControl, parse } from '../shared/sse.js';
import { refusalOf } from './api.js';
import { authorised } from './session.js';

const longest = 10_000; // between two tries

// `on`: { blocks(blocks), state('connecting' | 'open' | 'waiting' | 'refused', problem) }. Returns a function that ends it.
export function openStream(path, on) {
  const ended = new AbortController();
  let lastId;
  let retry = 1000;
  let failures = 0;

  function take(blocks) {
    for (const block of blocks) {
      if (block.includes('retry:') && /^(:.*\n)*retry:/.test(block)) {
        retry = parse(block).retry ?? retry;
      }
    }
    const last = blocks.findLast((block) => !isControl(block));
    lastId = (last && parse(last).id) ?? lastId;
    on.blocks(blocks);
  }

  async function listen() {
    on.state('connecting');
    const headers = { Accept: 'text/event-stream', ...(lastId && { 'Last-Event-ID': lastId }) };
    const response = await fetch(path, { headers: authorised(headers), cache: 'no-store', signal: ended.signal });
    if (!response.ok) {
      throw await refusalOf(response);
    }
    failures = 0;
    on.state('open');
    const split = createSplitter();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece; !(piece = await reader.read()).done;) {
      const blocks = split(piece.value);
      if (blocks.length) {
        take(blocks);
      }
    }
  }

  function pause() {
    const ms = Math.min(retry * 2 ** Math.min(failures++, 4), longest) * (0.5 + Math.random() / 2);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      ended.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  }

  async function run() {
    while (!ended.signal.aborted) {
      try {
        await listen();
      } catch (error) {
        if (ended.signal.aborted) {
          return;
        }
        if (error.status && error.status < 500 && error.status !== 429) {
          on.state('refused', error);
          return;
        }
      }
      if (!ended.signal.aborted) {
        on.state('waiting');
        await pause();
      }
    }
  }

  void run();
  return () => ended.abort();
}
