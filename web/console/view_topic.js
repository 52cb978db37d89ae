// One topic: watched live or from some time back, published to, and what history holds of it.

import { announce, make, setText } from '../shared/dom.js';
import { ago, bytes, count, none, rate } from '../shared/format.js';
import { getJson, isPattern } from './api.js';
import { createEventList } from './event_list.js';
import { createPublishForm } from './publish_form.js';
import { createRates, timeOf } from './topic_rate.js';
import { watch } from './watch.js';

const starts = [
  ['Live, after the last 20', { last: 20 }],
  ['Live only', {}],
  ['The last 100, then live', { last: 100 }],
  ['The last 1,000, then live', { last: 1000 }],
  ['The last 5 minutes, then live', () => ({ since: Date.now() - 300_000 })],
  ['The last hour, then live', () => ({ since: Date.now() - 3_600_000 })],
  ['All that is kept, then live', { last_event_id: 'earliest' }],
];

const states = {
  connecting: ['Connecting', 'state waiting soft'], open: ['Watching', 'state good'],
  waiting: ['Reconnecting', 'state waiting warn'], refused: ['Not allowed', 'state bad'], paused: ['Paused', 'state waiting soft'],
};

const unheardOf = { subscribers: 0, events: 0, bytes: 0, oldest: null, newest: null };

// The figures of the topic, asked for every two seconds.
function createFacts(topic) {
  const names = ['Listeners', 'Events/s', 'Events kept', 'History used', 'Oldest', 'Newest'];
  const values = names.map(() => make('dd', {}, none));
  const rates = createRates();
  const asking = new AbortController();
  let timer;
  const since = (id) => (id ? ago(Date.now() - timeOf(id)) : none);
  async function refresh() {
    try {
      const { topics } = await getJson(`api/topics?${new URLSearchParams({ prefix: topic, limit: 1 })}`, asking.signal);
      const row = topics.find((one) => one.topic === topic) ?? { topic, ...unheardOf };
      const texts = [
        count(row.subscribers), rate(rates.of(row)), count(row.events), row.bytes ? bytes(row.bytes) : none,
        since(row.oldest), since(row.newest),
      ];
      rates.settle();
      texts.forEach((text, index) => setText(values[index], text));
    } catch {
      // The state of the watch says what is wrong.
    }
    if (!asking.signal.aborted) {
      timer = setTimeout(refresh, 2000);
    }
  }
  void refresh();
  return {
    element: make('dl', { class: 'facts card body' },
      names.map((name, index) => make('div', {}, make('dt', { class: 'soft' }, name), values[index]))),
    end() {
      asking.abort();
      clearTimeout(timer);
    },
  };
}

function createWatch(topic) {
  const list = createEventList();
  const state = make('span', { class: 'state waiting soft' }, 'Connecting');
  const counted = make('span', { class: 'soft counted' });
  const from = make('select', { id: 'from' }, starts.map(([name], index) => make('option', { value: index }, name)));
  const pause = make('button', { type: 'button' }, 'Pause');
  const clear = make('button', { type: 'button', onclick: () => list.clear() }, 'Clear');
  const note = make('p', { class: 'note', hidden: true },
    'More comes than anybody can read: what is shown is a sample, and every event is counted.');
  const problem = make('p', { class: 'note bad', hidden: true });
  const empty = make('p', { class: 'empty' }, make('strong', {}, 'Nothing yet'), 'What is published from now on appears here.');
  let end;

  function showState(name, error) {
    const [word, style] = states[name];
    state.className = style;
    setText(state, word);
    problem.hidden = name !== 'refused';
    setText(problem, error?.message ?? '');
  }
  function begin() {
    const [, start] = starts[from.value];
    stop();
    list.clear();
    empty.hidden = false;
    setText(pause, 'Pause');
    end = watch(topic, typeof start === 'function' ? start() : start, {
      state: showState,
      events(events) {
        list.add(events);
        empty.hidden = true;
      },
      counted({ heard, shown, rate: now }) {
        // What came a moment ago is on its way.
        const sampled = shown < heard - 20;
        note.hidden = !sampled;
        setText(counted, `${count(heard)} heard${sampled ? `, ${count(shown)} shown` : ''} · ${rate(now)}/s`);
      },
    });
  }
  function stop() {
    end?.();
    end = undefined;
  }

  from.addEventListener('change', begin);
  pause.addEventListener('click', () => {
    if (end) {
      stop();
      setText(pause, 'Go on');
      showState('paused');
      announce('Paused');
    } else {
      begin();
    }
  });
  addEventListener('tokenchange', begin);
  begin();
  return {
    element: make('section', { class: 'card watch', 'aria-label': 'Watch' },
      make('header', {}, make('h2', {}, 'Watch'), state, counted,
        make('div', { class: 'end' }, make('label', { for: 'from', class: 'unseen' }, 'Begin with'), from, pause, clear)),
      problem, note, empty, list.element),
    end() {
      removeEventListener('tokenchange', begin);
      stop();
    },
  };
}

export function topicView(main, topic) {
  const parts = [createFacts(topic), createWatch(topic), createPublishForm(topic)];
  main.append(
    make('div', { class: 'head' },
      make('h1', {}, make('a', { href: '#/topics' }, 'Topics'), make('span', { class: 'soft' }, ' / '), topic)),
    parts[0].element,
    make('div', { class: 'split' }, parts[1].element, isPattern(topic) ? '' : parts[2].element));
  return { title: topic, end: () => parts.forEach((part) => part.end()) };
}
