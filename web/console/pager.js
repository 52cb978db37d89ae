// A list that the server gives a page at a time, asked for again every two seconds while it is seen. It knows the way back,
// because the server only tells the next page. Never more than one request is under way.

import { make } from '../shared/dom.js';

const every = 2000;
export const pageSize = 50;

// `load(query, signal)` gives { items, next }; `show({ items, more, first, problem })` shows them.
export function createPager({ load, show, noun }) {
  const back = make('button', { type: 'button', onclick: () => go(-1) }, 'Previous');
  const forth = make('button', { type: 'button', onclick: () => go(1) }, 'Next');
  const place = make('span', { class: 'soft', role: 'status' });
  const element = make('nav', { class: 'pager', 'aria-label': `Pages of ${noun}` }, back, place, forth);
  let starts = ['']; // of the pages up to the one that is shown
  let next = null;
  let timer;
  let asking = new AbortController();

  function label(items) {
    const from = (starts.length - 1) * pageSize;
    place.textContent = items.length ? `${from + 1}–${from + items.length}` : '';
    back.disabled = starts.length === 1;
    forth.disabled = next === null;
    element.hidden = starts.length === 1 && next === null;
  }

  async function refresh() {
    clearTimeout(timer);
    asking.abort();
    const { signal } = (asking = new AbortController());
    if (!document.hidden) {
      try {
        const page = await load(new URLSearchParams({ limit: pageSize, ...(starts.at(-1) && { after: starts.at(-1) }) }), signal);
        if (signal.aborted) {
          return;
        }
        next = page.next;
        show({ items: page.items });
        label(page.items);
      } catch (problem) {
        if (signal.aborted) {
          return;
        }
        show({ problem });
      }
    }
    timer = setTimeout(refresh, every);
  }

  function go(by) {
    starts = by > 0 ? [...starts, next] : starts.slice(0, -1);
    void refresh();
  }

  return {
    element,
    refresh,
    restart() {
      starts = [''];
      void refresh();
    },
    end() {
      clearTimeout(timer);
      asking.abort();
    },
  };
}
