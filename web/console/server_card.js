// What the server is and what it holds; which limits were hit; and, as long as nothing was published, what to try first.

import { make, setText } from '../shared/dom.js';
import { bytes, count, duration } from '../shared/format.js';
import { useCopyButton } from '../shared/copy.js';

const facts = [
  ['Version', ({ now }) => now.version],
  ['Running for', ({ now }) => duration(Math.max(1000, now.at - now.started))],
  ['Workers', ({ now }) => count(now.workers)],
  ['Topics in history', ({ now }) => count(now.history_topics)],
  ['Events in history', ({ now }) => count(now.history_events)],
  ['History', ({ now }) => bytes(now.history_bytes)],
  ['Replayed', ({ now }) => count(now.replayed)],
  ['Full sockets', ({ now }) => count(now.stalls)],
];

function createCommand(text) {
  const code = make('code', {}, text);
  const button = make('button', { type: 'button', class: 'plain', 'aria-label': `Copy: ${text}` }, 'Copy');
  return make('div', { class: 'command' }, make('pre', { class: 'code' }, code), useCopyButton(button, () => text));
}

function createFirstSteps() {
  const at = new URL('events/news', location.href).href.replace(/#.*/, '');
  return make('div', { class: 'card first', hidden: true },
    make('header', {}, make('h2', {}, 'Nothing was published yet')),
    make('div', { class: 'body fields' },
      make('p', { class: 'soft' },
        'Listen in a terminal, and publish in another; or ', make('a', { href: '#/topics/news' }, 'open the topic “news”'),
        ' here. The ', make('a', { href: 'lab' }, 'lab'), ' compares transports in this browser.'),
      createCommand(`curl -N ${at}`), createCommand(`curl -d 'hello' ${at}`)));
}

export function createServerCard() {
  const values = facts.map(() => make('dd', {}, '–'));
  const limits = make('p', { class: 'limits' });
  const first = createFirstSteps();
  const element = make('div', { class: 'below-tiles' }, first,
    make('section', { class: 'card', 'aria-label': 'Server' },
      make('header', {}, make('h2', {}, 'Server')),
      make('dl', { class: 'facts body' },
        facts.map(([name], index) => make('div', {}, make('dt', { class: 'soft' }, name), values[index]))),
      limits));
  return {
    element,
    show(sample) {
      facts.forEach(([, text], index) => setText(values[index], text(sample)));
      const hit = Object.entries(sample.now.limits);
      limits.hidden = hit.length === 0;
      setText(limits, `Limits that were hit: ${hit.map(([name, times]) => `${name} ${count(times)}×`).join(', ')}`);
      first.hidden = sample.now.published > 0 || sample.now.history_events > 0;
    },
  };
}
