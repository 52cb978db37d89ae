'use client';

import { useEffect, useState } from 'react';
import { useEvents } from './use-events';

interface Props {
  title: string;
  url: string;
  types: string[];
}

// Seconds since a moment, counted on; 0 without one.
function useSeconds(since?: number) {
  const [now, setNow] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return since ? Math.max(0, Math.floor((now - since) / 1000)) : 0;
}

function Open({ url, types }: Omit<Props, 'title'>) {
  const { state, openedAt, count, latency, items } = useEvents(url, types);
  const seconds = useSeconds(openedAt);
  return (
    <>
      <span className="state" data-state={state}>{state}</span>
      <dl>
        <div><dt>Connected for</dt><dd className="connected">{seconds} s</dd></div>
        <div><dt>Messages</dt><dd className="count">{count}</dd></div>
        <div><dt>Average latency</dt><dd className="latency">{count ? `${(latency / count).toFixed(1)} ms` : '–'}</dd></div>
      </dl>
      <ol aria-live="polite">
        {items.map(({ key, type, text, at }) => (
          <li key={key}><span>{type}</span>{text}<time suppressHydrationWarning>{new Date(at).toLocaleTimeString()}</time></li>
        ))}
      </ol>
    </>
  );
}

export function Stream({ title, url, types }: Props) {
  const [mounted, setMounted] = useState(true);
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      {mounted && <Open url={url} types={types} />}
      <button className="plain" onClick={() => setMounted(!mounted)}>{mounted ? 'Unmount' : 'Mount'}</button>
    </section>
  );
}
