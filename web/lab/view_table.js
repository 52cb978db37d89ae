// A table of text, as findings.js makes them.

import { make } from '../shared/dom.js';

export function tableOf({ title, head, rows }) {
  return make('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': title },
    make('table', {},
      make('caption', {}, title),
      make('thead', {}, make('tr', {}, head.map((text) => (text ? make('th', { scope: 'col' }, text) : make('td'))))),
      make('tbody', {}, rows.map(([name, ...values]) =>
        make('tr', {}, make('th', { scope: 'row' }, name), values.map((text) => make('td', { class: text.length < 16 && 'brief' }, text)))))));
}
