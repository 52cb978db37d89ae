// Connections: who listens to what, since when, over which transport, how far behind; and closing one.

import { announce, make, setText } from '../shared/dom.js';
import { ago, count, duration } from '../shared/format.js';
import { createRows } from '../shared/rows.js';
import { closeConnection, getJson } from './api.js';
import { createPager } from './pager.js';
import { topicHref } from './router.js';

const columns = [['Peer'], ['Listens to'], ['Transport'], ['State'], ['Behind', 'number'], ['Since', 'number'], ['']];
const protocols = { h1: 'HTTP/1.1', h2: 'HTTP/2', ws: 'WebSocket' };
const representations = { 'event-stream': 'event stream', ndjson: 'NDJSON', poll: 'long poll', json: 'JSON' };
const states = { live: 'state good', stalled: 'state bad', behind: 'state warn' };
const topicsShown = 5;

function topicsOf(topics) {
  if (!topics.length) {
    return [make('span', { class: 'soft' }, 'figures of the server')];
  }
  const more = topics.length - topicsShown;
  return [...topics.slice(0, topicsShown).map((topic) => make('a', { class: 'topic', href: topicHref(topic) }, topic)),
    more > 0 && make('span', { class: 'soft' }, `and ${count(more)} more`)].filter(Boolean);
}

// Asks a second time, in the same place, and forgets it when the button is left.
function createCloseButton(row, refresh) {
  const button = make('button', { type: 'button', class: 'plain' });
  const name = `the connection of ${row.peer}`;
  const rest = () => {
    button.className = 'plain';
    button.textContent = 'Close';
    button.setAttribute('aria-label', `Close ${name}`);
    delete button.dataset.sure;
  };
  button.addEventListener('blur', rest);
  button.addEventListener('click', async () => {
    if (!button.dataset.sure) {
      button.dataset.sure = 'yes';
      button.className = 'danger';
      button.textContent = 'Really close';
      button.setAttribute('aria-label', `Really close ${name}`);
      return;
    }
    rest();
    try {
      await closeConnection(row.id);
      announce(`Closed ${name}. A browser comes back by itself.`);
    } catch (error) {
      announce(error.message);
    }
    refresh();
  });
  rest();
  return button;
}

function createRow(row, refresh) {
  const state = make('span');
  const behind = make('td', { class: 'number' });
  const since = make('td', { class: 'number', title: row.since });
  const topics = make('td', { class: 'topics' });
  let shown;
  const element = make('tr', {},
    make('th', { scope: 'row', class: 'mono' }, row.peer),
    topics,
    make('td', { class: 'transport' }, `${protocols[row.protocol] ?? row.protocol} · ${representations[row.representation] ?? row.representation}`),
    make('td', {}, state), behind, since, make('td', { class: 'act' }, createCloseButton(row, refresh)));
  return {
    element,
    update(now) {
      setText(state, now.state);
      state.className = states[now.state] ?? 'state';
      setText(behind, now.behind ? `${count(now.behind)} · ${duration(now.behind_ms)}` : '0');
      setText(since, ago(Date.now() - Date.parse(now.since)));
      if (shown !== now.topics.join('\n')) {
        shown = now.topics.join('\n');
        topics.replaceChildren(...topicsOf(now.topics));
      }
    },
  };
}

export function connectionsView(main) {
  const filter = make('input', { type: 'search', id: 'filter', placeholder: 'A topic or pattern, whole', autocomplete: 'off', spellcheck: 'false' });
  const total = make('span', { class: 'soft' });
  const body = make('tbody');
  const table = make('table', {}, make('caption', { class: 'unseen' }, 'Connections'),
    make('thead', {}, make('tr', {}, columns.map(([name, style]) => make(name ? 'th' : 'td', { scope: name ? 'col' : null, class: style }, name)))), body);
  const empty = make('div', { class: 'empty', role: 'status', hidden: true });
  const rows = createRows(body, ({ id }) => id, (row) => createRow(row, () => pager.refresh()));
  const pager = createPager({
    noun: 'connections',
    async load(query, signal) {
      if (filter.value) {
        query.set('topic', filter.value);
      }
      const page = await getJson(`api/connections?${query}`, signal);
      setText(total, `${count(page.total)} ${page.total === 1 ? 'listener' : 'listeners'}`);
      return { items: page.connections, next: page.next };
    },
    show({ items = [], problem }) {
      rows.show(items);
      table.hidden = items.length === 0;
      empty.hidden = items.length > 0;
      const words = problem ? ['The list could not be read', problem.message]
        : filter.value ? [`Nobody asked for “${filter.value}”`, 'Give the topic or the pattern as the listener did.'] : ['Nobody listens', 'Listeners are here as long as they are connected.'];
      empty.replaceChildren(make('strong', {}, words[0]), words[1]);
    },
  });
  main.append(
    make('div', { class: 'head' }, make('h1', {}, 'Connections'), total,
      make('form', { class: 'search', role: 'search', onsubmit: (event) => event.preventDefault() }, make('label', { for: 'filter', class: 'unseen' }, 'Only those who listen to'), filter)),
    make('div', { class: 'card' }, make('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Connections' }, table), empty), pager.element);
  let typed;
  filter.addEventListener('input', () => {
    clearTimeout(typed);
    typed = setTimeout(pager.restart, 150);
  });
  addEventListener('tokenchange', pager.refresh);
  void pager.refresh();
  return {
    title: 'Connections',
    end() {
      clearTimeout(typed);
      removeEventListener('tokenchange', pager.refresh);
      pager.end();
    },
  };
}
