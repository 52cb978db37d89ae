'use client';

import { useEffect, useReducer, useRef } from 'react';

// closed: it was disconnected. error: the browser has given up, and we try again after a while.
export type State = 'connecting' | 'open' | 'closed' | 'error';

export interface Item {
  key: number;
  type: string;
  text: string;
  at: number; // milliseconds since 1970, by the sender's clock; NaN if it did not say
}

export interface View {
  state: State;
  openedAt?: number; // of the connection that is open now
  count: number;
  lastId: string;
  measured: number; // how many of them came live
  latency: number; // the sum over those, in milliseconds
  items: Item[]; // the last ten, newest first
}

type Change = { state: State; now: number };
type Heard = { type: string; lastId: string; text: string; at: number; now: number };

const nothing: View = { state: 'closed', count: 0, lastId: '', measured: 0, latency: 0, items: [] };
const giveUpPause = 5000;

// What is older than the connection comes from the history: how long it took to get here says nothing of latency.
function hear(view: View, { type, lastId, text, at, now }: Heard): View {
  const live = view.openedAt !== undefined && at >= view.openedAt;
  return {
    ...view,
    lastId,
    count: view.count + 1,
    measured: view.measured + (live ? 1 : 0),
    latency: view.latency + (live ? Math.max(0, now - at) : 0),
    items: [{ key: view.count, type, text, at }, ...view.items].slice(0, 10),
  };
}

function reduce(view: View, action: Change | Heard): View {
  if ('state' in action) {
    return { ...view, state: action.state, openedAt: action.state === 'open' ? action.now : undefined };
  }
  return hear(view, action);
}

// Anybody who may publish may write anything.
function read(data: string): { text: string; at: number } {
  try {
    const { text, at } = JSON.parse(data);
    return { text: String(text), at: Number(at) };
  } catch {
    return { text: data, at: NaN };
  }
}

// An EventSource for as long as the component is mounted and `wanted`. What is heard is JSON with `text` and `at`, the time
// at which it was sent; latency is right where both clocks are. The same `types` each time, please.
export function useEventStream(url: string, types: string[], wanted: boolean): View {
  const [view, dispatch] = useReducer(reduce, nothing);
  const lastId = useRef(''); // outlives the connection: after `wanted` was false, we go on where we were
  const names = types.join();

  useEffect(() => {
    if (!wanted) {
      return;
    }
    let source: EventSource;
    let again: ReturnType<typeof setTimeout> | undefined;
    const change = (state: State) => dispatch({ state, now: Date.now() });

    function listen(event: MessageEvent<string>) {
      lastId.current = event.lastEventId;
      dispatch({ type: event.type, lastId: event.lastEventId, ...read(event.data), now: Date.now() });
    }

    function open() {
      const address = new URL(url, location.href);
      if (lastId.current) {
        address.searchParams.set('last_event_id', lastId.current);
      }
      change('connecting');
      source = new EventSource(address); // with a cookie at freshet: { withCredentials: true }
      source.onopen = () => change('open');
      // Events with a name go to a listener of that name; those without are of the type `message`.
      names.split(',').forEach((type) => source.addEventListener(type, listen));
      // What was missed could not be brought: history no longer reaches back so far.
      source.addEventListener('freshet.gap', (event) => listen(new MessageEvent('gap', { data: 'Some messages are missing here', lastEventId: event.lastEventId })));
      source.onerror = () => {
        // CONNECTING: the browser comes back by itself, after `retry`, and says which id was the last. CLOSED: it has given
        // up for ever, because the answer was not 200 or no event stream: a proxy's error page, perhaps.
        if (source.readyState === EventSource.CLOSED) {
          change('error');
          again = setTimeout(open, giveUpPause);
        } else {
          change('connecting');
        }
      };
    }

    function close() {
      clearTimeout(again);
      source.close();
    }

    // A page that goes away may come back from the browser's cache, just as it was.
    const shown = (event: PageTransitionEvent) => event.persisted && open();
    addEventListener('pagehide', close);
    addEventListener('pageshow', shown);
    open();

    // Without this each visit of the page would leave a connection behind, and over HTTP/1.1 the seventh of them would hang.
    // In development React mounts everything twice, so it would be the fourth.
    return () => {
      removeEventListener('pagehide', close);
      removeEventListener('pageshow', shown);
      close();
      change('closed');
    };
  }, [url, names, wanted]);

  return view;
}
