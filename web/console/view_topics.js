// Topics: which there are, who listens, what history holds of them; found by any part of their name.

import { make, setText } from '../shared/dom.js';
import { ago, bytes, count, none, rate } from '../shared/format.js';
import { createRows } from '../shared/rows.js';
import { getJson, isPattern } from './api.js';
import { createPager } from './pager.js';
import { topicHref } from './router.js';
import { createRates, timeOf } from './topic_rate.js';

const columns = [['Topic'], ['Listeners', 'number'], ['Events/s', 'number'], ['Events kept', 'number'], ['History used', 'number'], ['Last event', 'number']];

function createRow({ topic }, rates) {
  const cells = columns.slice(1).map(([, style]) => make('td', { class: style }));
  const element = make('tr', {},
    make('th', { scope: 'row', class: 'name' }, make('a', { href: topicHref(topic) }, topic), isPattern(topic) && make('span', { class: 'chip' }, 'pattern')),
    cells);
  return {
    element,
    update(row) {
      const now = Date.now();
      const texts = [
        count(row.subscribers), rate(rates.of(row, now)), count(row.events), row.bytes ? bytes(row.bytes) : none,
        row.newest ? ago(now - timeOf(row.newest)) : none,
      ];
      texts.forEach((text, index) => setText(cells[index], text));
    },
  };
}

function showEmpty(empty, search, problem) {
  empty.replaceChildren(...(problem ? [make('strong', {}, 'The list could not be read'), problem.message] : search
    ? [make('strong', {}, `No topic has “${search}” in its name`), make('a', { class: 'button', href: topicHref(search) }, 'Open a topic of this name')]
    : [make('strong', {}, 'No topics yet'), 'A topic is there as soon as somebody publishes to it or listens to it.']));
}

export function topicsView(main) {
  const rates = createRates();
  const search = make('input', { type: 'search', id: 'search', placeholder: 'Any part of a name', autocomplete: 'off', spellcheck: 'false' });
  const body = make('tbody');
  const table = make('table', {}, make('caption', { class: 'unseen' }, 'Topics'),
    make('thead', {}, make('tr', {}, columns.map(([name, style]) => make('th', { scope: 'col', class: style }, name)))), body);
  const empty = make('div', { class: 'empty', role: 'status', hidden: true });
  const rows = createRows(body, ({ topic }) => topic, (row) => createRow(row, rates));
  const pager = createPager({
    noun: 'topics',
    async load(query, signal) {
      if (search.value) {
        query.set('search', search.value);
      }
      const { topics, next } = await getJson(`api/topics?${query}`, signal);
      return { items: topics, next };
    },
    show({ items = [], problem }) {
      rows.show(items);
      rates.settle();
      table.hidden = items.length === 0;
      empty.hidden = items.length > 0;
      if (!items.length) {
        showEmpty(empty, search.value, problem);
      }
    },
  });
  main.append(
    make('div', { class: 'head' }, make('h1', {}, 'Topics'),
      make('form', { class: 'search', role: 'search', onsubmit: (event) => event.preventDefault() }, make('label', { for: 'search', class: 'unseen' }, 'Search topics'), search)),
    make('div', { class: 'card' }, make('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Topics' }, table), empty), pager.element);
  let typed;
  search.addEventListener('input', () => {
    clearTimeout(typed);
    typed = setTimeout(pager.restart, 150);
  });
  addEventListener('tokenchange', pager.refresh);
  void pager.refresh();
  return {
    title: 'Topics',
    end() {
      clearTimeout(typed);
      removeEventListener('tokenchange', pager.refresh);
      pager.end();
    },
  };
}
