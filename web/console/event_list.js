// The events of a topic as they come, newest on top, a bounded number of them. One that is long shows its beginning, and all of
// it when it is opened.

import { make } from '../shared/dom.js';
import { clock } from '../shared/format.js';
import { timeOf } from './topic_rate.js';

const most = 1000;
const preview = 300;
const whole = 20_000;

const gapReasons = {
  expired: 'history no longer reaches back so far',
  lagged: 'this page was too slow',
  future: 'the server is another one than before, or its clock was wrong',
  unknown: 'the server does not know where it was',
};

function gapRow(data) {
  const { reason } = JSON.parse(data);
  return make('li', { class: 'event gap' }, make('strong', {}, 'Events may be missing here'), ` ${gapReasons[reason] ?? reason}`);
}

const isOwn = (id) => /^\d+-\d+$/.test(id ?? '');

function eventRow({ id, type, data }) {
  const head = [
    make('time', { class: 'soft', title: id }, isOwn(id) ? clock(timeOf(id)) : clock(Date.now())),
    make('span', { class: 'id soft mono' }, id ?? ''),
    type !== 'message' && make('span', { class: 'chip' }, type),
  ];
  const text = data.length > preview ? `${data.slice(0, preview)}…` : data;
  if (data.length <= preview && !data.includes('\n')) {
    return make('li', { class: 'event' }, head, make('code', { class: 'data' }, text || '(empty)'));
  }
  const all = make('pre', { class: 'code' });
  const details = make('details', { class: 'data' }, make('summary', {}, make('code', {}, text.replace(/\s+/g, ' '))), all);
  details.addEventListener('toggle', () => {
    all.textContent = details.open ? data.slice(0, whole) + (data.length > whole ? `\n… ${data.length - whole} more characters` : '') : '';
  });
  return make('li', { class: 'event' }, head, details);
}

export function createEventList() {
  const element = make('ol', { class: 'events', 'aria-label': 'Events, newest first', tabindex: '0' });
  return {
    element,
    add(events) {
      const rows = events
        .filter(({ type }) => !type.startsWith('freshet.') || type === 'freshet.gap')
        .slice(-most).map((event) => (event.type === 'freshet.gap' ? gapRow(event.data) : eventRow(event)));
      // Who has scrolled down to read stays there: browsers anchor what they scroll.
      element.prepend(...rows.reverse());
      while (element.childElementCount > most) {
        element.lastElementChild.remove();
      }
    },
    clear() {
      element.replaceChildren();
    },
  };
}
