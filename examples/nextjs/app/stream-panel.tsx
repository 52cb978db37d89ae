'use client';

import { useEffect, useState } from 'react';
import { useEventStream } from './use-event-stream';

interface Props {
  title: string;
  url: string;
  types: string[];
}

// Whole seconds since a moment, counted on; 0 without one.
function useSeconds(since?: number) {
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (since === undefined) {
      return;
    }
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [since]);
  return since === undefined ? 0 : Math.max(0, Math.floor((now - since) / 1000));
}

const clock = (at: number) => (Number.isFinite(at) ? new Date(at).toLocaleTimeString() : '');

export function StreamPanel({ title, url, types }: Props) {
  const [wanted, setWanted] = useState(true);
  const { state, openedAt, count, lastId, measured, latency, items } = useEventStream(url, types, wanted);
  const seconds = useSeconds(openedAt);
  return (
    <section aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span className="state" data-state={state}>{state}</span>
      </header>
      <dl>
        <div><dt>Connected for</dt><dd className="connected">{seconds} s</dd></div>
        <div><dt>Messages</dt><dd className="count">{count}</dd></div>
        <div><dt>Average latency</dt><dd className="latency">{measured ? `${(latency / measured).toFixed(1)} ms` : '–'}</dd></div>
      </dl>
      <p>
        <button className="plain" onClick={() => setWanted(!wanted)}>{wanted ? 'Disconnect' : 'Connect'}</button>
        <span>Last id: <output className="last">{lastId || 'none'}</output></span>
      </p>
      <ol aria-live="polite">
        {items.map(({ key, type, text, at }) => (
          <li key={key}><i>{type}</i><span>{text}</span><time>{clock(at)}</time></li>
        ))}
      </ol>
    </section>
  );
}
