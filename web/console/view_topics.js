// Topics: which there are, who listens, what history holds of them; found by any part of their name.

import { make, setText } from '../shared/dom.js';
import { ago, bytes, count, none, rate } from '../shared/format.js';
import { getJson, isPattern } from './api.js';
import { listView } from './list_view.js';
import { topicHref } from './router.js';
import { createRates, timeOf } from './topic_rate.js';

const columns = [
  ['Topic'],
  ['Listeners', 'number'],
  ['Events/s', 'number'],
  ['Events kept', 'number'],
  ['History used', 'number'],
  ['Last event', 'number'],
];

function createRow({ topic }, rates) {
  const cells = columns.slice(1).map(([, style]) => make('td', { class: style }));
  const chip = isPattern(topic) && make('span', { class: 'chip' }, 'pattern');
  const name = make('th', { scope: 'row', class: 'name' }, make('a', { href: topicHref(topic) }, topic), chip);
  return {
    element: make('tr', {}, name, cells),
    update(row) {
      const now = Date.now();
      const texts = [
        count(row.subscribers),
        rate(rates.of(row, now)),
        count(row.events),
        row.bytes ? bytes(row.bytes) : none,
        row.newest ? ago(now - timeOf(row.newest)) : none,
      ];
      texts.forEach((text, index) => setText(cells[index], text));
    },
  };
}

function emptyWords(text) {
  if (!text) {
    return [make('strong', {}, 'No topics yet'), 'A topic is there as soon as somebody publishes to it or listens to it.'];
  }
  const open = make('a', { class: 'button', href: topicHref(text) }, 'Open a topic of this name');
  return [make('strong', {}, `No topic has “${text}” in its name`), open];
}

export function topicsView(main) {
  const rates = createRates();
  return listView(main, {
    title: 'Topics',
    columns,
    search: { label: 'Search topics', placeholder: 'Any part of a name' },
    keyOf: ({ topic }) => topic,
    makeRow: (row) => createRow(row, rates),
    async load(query, text, signal) {
      if (text) {
        query.set('search', text);
      }
      const { topics, next } = await getJson(`api/topics?${query}`, signal);
      return { items: topics, next };
    },
    shown: () => rates.settle(),
    empty: emptyWords,
  });
}
