// What the views of a list have in common: a heading, a field to search, a table of one page, words in place of an empty
// one, and the way to the other pages.

import { make } from '../shared/dom.js';
import { createRows } from '../shared/rows.js';
import { createPager } from './pager.js';

const typingPause = 150;

function searchForm(field, label) {
  const attributes = { class: 'search', role: 'search', onsubmit: (event) => event.preventDefault() };
  return make('form', attributes, make('label', { for: field.id, class: 'unseen' }, label), field);
}

function tableOf(title, columns, body) {
  const heads = columns.map(([name, style]) =>
    name ? make('th', { scope: 'col', class: style }, name) : make('td', { class: style }));
  return make('table', {}, make('caption', { class: 'unseen' }, title), make('thead', {}, make('tr', {}, heads)), body);
}

// `columns`: [name, class]; `search`: { label, placeholder }; keyOf(item); makeRow(item, refresh): { element, update };
// load(query, text, signal): { items, next }; shown(items); empty(text, problem): what to say. `aside` stands by the heading.
export function listView(main, { title, aside = '', columns, search, keyOf, makeRow, load, shown = () => {}, empty }) {
  const field = make('input', {
    type: 'search', id: 'search', placeholder: search.placeholder, autocomplete: 'off', spellcheck: 'false',
  });
  const body = make('tbody');
  const table = tableOf(title, columns, body);
  const words = make('div', { class: 'empty', role: 'status', hidden: true });
  const rows = createRows(body, keyOf, (item) => makeRow(item, () => pager.refresh()));
  const pager = createPager({
    noun: title.toLowerCase(),
    load: (query, signal) => load(query, field.value, signal),
    show({ items = [], problem }) {
      rows.show(items);
      shown(items);
      table.hidden = items.length === 0;
      words.hidden = items.length > 0;
      if (!items.length) {
        words.replaceChildren(...(problem ? [make('strong', {}, 'The list could not be read'), problem.message] : empty(field.value)));
      }
    },
  });
  main.append(
    make('div', { class: 'head' }, make('h1', {}, title), aside, searchForm(field, search.label)),
    make('div', { class: 'card' }, make('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': title }, table), words),
    pager.element,
  );
  let typed;
  field.addEventListener('input', () => {
    clearTimeout(typed);
    typed = setTimeout(pager.restart, typingPause);
  });
  addEventListener('tokenchange', pager.refresh);
  void pager.refresh();
  return {
    title,
    end() {
      clearTimeout(typed);
      removeEventListener('tokenchange', pager.refresh);
      pager.end();
    },
  };
}
