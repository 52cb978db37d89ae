// The card of one transport: its state, its figures, its last ten messages, and in short the client beside it that does
// not resume. It shows what the lane has; it changes nothing but by the buttons.

import { announce, make, setText } from '../shared/dom.js';
import { clock, count, duration } from '../shared/format.js';
import { bytesOf } from './findings.js';

const figures = [
  ['connect', 'Time to connect', ({ measures }) => duration(measures.connectMs)],
  ['received', 'Received', ({ measures }) => count(measures.received)],
  ['average', 'Latency, average', ({ measures }) => duration(measures.averageMs)],
  ['p99', 'Latency, p99', ({ measures }) => duration(measures.p99Ms)],
  ['bytes', 'Bytes a message', (lane) => bytesOf(lane).text],
  ['reconnects', 'Reconnects', ({ measures }) => count(measures.reconnects)],
  ['lost', 'Lost', ({ measures }) => count(measures.sequences.lost)],
  ['repeated', 'Repeated', ({ measures }) => count(measures.sequences.repeated)],
  ['caught-up', 'Caught up', ({ measures }) => count(measures.caughtUp)],
];
const short = ['received', 'lost', 'repeated', 'reconnects'];

const slow = 'no answer yet; over HTTP/1.1 a browser holds six connections to a server, and other tabs may have them';

const looks = { open: 'state good', connecting: 'state waiting warn', error: 'state bad', closed: 'state soft' };

function figureList(lane, wanted) {
  const shown = figures.filter(([name]) => !wanted || wanted.includes(name)).map(([name, label, value]) => {
    const dd = make('dd', { 'data-figure': name });
    return { name, value, dd, row: make('div', {}, make('dt', {}, label), dd) };
  });
  const list = make('dl', { class: wanted ? 'figures short' : 'figures' }, shown.map(({ row }) => row));
  const show = () => shown.forEach(({ name, value, dd }) => {
    setText(dd, value(lane));
    dd.classList.toggle('bad', (name === 'lost' || name === 'repeated') && lane.measures.sequences[name] > 0);
  });
  return { list, show };
}

function messageRow({ at, from, seq, kind, ms, late, isNew }, self) {
  const note = isNew ? (late ? 'caught up' : '') : 'repeated';
  return make('li', {},
    make('span', { class: 'soft' }, clock(at)),
    make('span', { class: 'clip' }, from === self ? `${kind} ${seq}` : `${kind} ${seq} of ${from}`),
    make('span', { class: note ? 'note-late' : 'number' }, note || (ms === undefined ? 'another clock' : duration(ms))));
}

function stateView(lane) {
  const pill = make('span', { 'data-state': '' });
  const reason = make('p', { class: 'reason soft', 'data-reason': '' });
  const show = () => {
    if (pill.textContent !== lane.state) {
      pill.textContent = lane.state;
      pill.className = looks[lane.state];
      lane.resume && lane.state !== 'connecting' && announce(`${lane.label}: ${lane.state}`);
    }
    const why = lane.reason || (lane.isWaiting ? slow : '');
    setText(reason, why);
    reason.hidden = !why;
  };
  return { pill, reason, show };
}

// `toggle(lane)` connects or disconnects; `naive` is the lane without resume, where there is one.
export function createCard({ lane, naive, token, shape, toggle }) {
  const state = stateView(lane);
  const own = figureList(lane);
  const button = make('button', { type: 'button', onclick: () => toggle(lane) });
  const how = make('p', { class: 'how soft', 'data-how': '' });
  const messages = make('ol', { class: 'messages', 'aria-label': `The last ten messages by ${lane.label}` });
  const title = `title-${lane.name}`;
  const twin = naive ? twinView(naive) : resumesItself();
  const element = make('article', { class: `card lane ${token}`, 'aria-labelledby': title, 'data-lane': lane.name },
    make('header', {}, make('span', { class: `mark ${shape}`, 'aria-hidden': 'true' }), make('h2', { id: title }, lane.label), state.pill, button),
    make('div', { class: 'body' }, state.reason, own.list, how, make('h3', {}, 'Last ten messages'), messages, twin.element));
  let newest;

  function show() {
    state.show();
    own.show();
    twin.show();
    setText(how, `Bytes: ${bytesOf(lane).how}`);
    setText(button, lane.wanted ? 'Disconnect' : 'Connect');
    button.setAttribute('aria-label', `${button.textContent} ${lane.label}`);
    if (newest !== lane.measures.recent[0]) {
      [newest] = lane.measures.recent;
      messages.replaceChildren(...lane.measures.recent.map((message) => messageRow(message, lane.self)));
    }
  }

  return { element, show };
}

function twinView(lane) {
  const state = stateView(lane);
  const own = figureList(lane, short);
  const element = make('section', { class: 'twin', 'data-lane': lane.name, 'aria-label': lane.label },
    make('header', {}, make('h3', {}, 'A client that does not resume'), state.pill), state.reason, own.list);
  return {
    element,
    show() {
      element.hidden = !lane.enabled;
      state.show();
      own.show();
    },
  };
}

function resumesItself() {
  const element = make('section', { class: 'twin', 'aria-label': 'Resume' },
    make('header', {}, make('h3', {}, 'Resume is built in')),
    make('p', { class: 'soft' }, 'The browser sends the last id by itself, so there is no client here that forgets it.'));
  return { element, show() {} };
}
