// Connections: who listens to what, since when, over which transport, how far behind; and closing one.

import { announce, make, setText } from '../shared/dom.js';
import { ago, count, duration } from '../shared/format.js';
import { closeConnection, getJson } from './api.js';
import { listView } from './list_view.js';
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
  const links = topics.slice(0, topicsShown).map((topic) => make('a', { href: topicHref(topic) }, topic));
  return more > 0 ? [...links, make('span', { class: 'soft' }, `and ${count(more)} more`)] : links;
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
  const transport = `${protocols[row.protocol] ?? row.protocol} · ${representations[row.representation] ?? row.representation}`;
  const element = make('tr', {},
    make('th', { scope: 'row', class: 'mono' }, row.peer),
    topics,
    make('td', { class: 'transport' }, transport),
    make('td', {}, state),
    behind,
    since,
    make('td', { class: 'act' }, createCloseButton(row, refresh)));
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

function emptyWords(text) {
  return text
    ? [make('strong', {}, `Nobody asked for “${text}”`), 'Give the topic or the pattern as the listener did.']
    : [make('strong', {}, 'Nobody listens'), 'Listeners are here as long as they are connected.'];
}

export function connectionsView(main) {
  const total = make('span', { class: 'soft' });
  return listView(main, {
    title: 'Connections',
    aside: total,
    columns,
    search: { label: 'Only those who listen to', placeholder: 'A topic or pattern, whole' },
    keyOf: ({ id }) => id,
    makeRow: createRow,
    async load(query, text, signal) {
      if (text) {
        query.set('topic', text);
      }
      const page = await getJson(`api/connections?${query}`, signal);
      setText(total, `${count(page.total)} ${page.total === 1 ? 'listener' : 'listeners'}`);
      return { items: page.connections, next: page.next };
    },
    empty: emptyWords,
  });
}
