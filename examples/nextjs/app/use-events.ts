'use client';

import { useEffect, useReducer } from 'react';

export type State = 'connecting' | 'open' | 'lost';

export interface Item {
  key: number;
  type: string;
  text: string;
  at: number;
}

export interface View {
  state: State;
  openedAt?: number; // when the connection that is open now was opened
  count: number;
  latency: number; // the sum over all, in milliseconds
  items: Item[]; // the last ten, newest first
}

type Action = { state: State; now: number } | { type: string; text: string; at: number; now: number };

const nothing: View = { state: 'connecting', count: 0, latency: 0, items: [] };

function reduce(view: View, action: Action): View {
  if ('state' in action) {
    return { ...view, state: action.state, openedAt: action.state === 'open' ? action.now : undefined };
  }
  const { type, text, at, now } = action;
  const item = { key: view.count, type, text, at };
  return { ...view, count: view.count + 1, latency: view.latency + Math.max(0, now - at), items: [item, ...view.items].slice(0, 10) };
}

// An EventSource for as long as the component that uses this is mounted, with the same URL. What is heard is JSON with
// `text` and `at`, the time at which it was sent; latency is right where both clocks are.
export function useEvents(url: string, types: string[]): View {
  const [view, dispatch] = useReducer(reduce, nothing);
  const names = types.join();

  useEffect(() => {
    let source: EventSource;
    let again: ReturnType<typeof setTimeout> | undefined;
    let lastId = '';

    function hear(event: MessageEvent<string>) {
      lastId = event.lastEventId;
      const { text, at } = JSON.parse(event.data);
      dispatch({ type: event.type, text, at, now: Date.now() });
    }

    function open() {
      const address = new URL(url, location.href);
      if (lastId) {
        address.searchParams.set('last_event_id', lastId);
      }
      source = new EventSource(address);
      source.onopen = () => dispatch({ state: 'open', now: Date.now() });
      names.split(',').forEach((type) => source.addEventListener(type, hear));
      source.onerror = () => {
        dispatch({ state: 'lost', now: Date.now() });
        // CONNECTING: the browser comes back by itself. CLOSED: it has given up for ever, after an answer that was not 200.
        if (source.readyState === EventSource.CLOSED) {
          again = setTimeout(open, 5000);
        }
      };
    }

    open();
    // Without this each visit of the page would leave a connection behind, and the seventh of them would hang. In
    // development React mounts everything twice, so it would be the fourth.
    return () => {
      clearTimeout(again);
      source.close();
    };
  }, [url, names]);

  return view;
}
