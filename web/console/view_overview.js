// Overview: what goes in and out, how long it takes, who lags, what went wrong; each as a figure and the last minutes of it.

import { make, setText } from '../shared/dom.js';
import { bytes, compact, count, duration, rate } from '../shared/format.js';
import { createPlot } from '../shared/plot.js';
import { live, minutes } from './live.js';
import { createServerCard } from './server_card.js';
import { createTile } from './tile.js';

const ms = (us) => (us === null || us === undefined ? NaN : us / 1000);
const perSecond = (format) => (value) => (Number.isFinite(value) ? `${format(value)}/s` : format(value));

// Each: what it is called, its figures of a sample, the figure in text, and what stands below it.
const tiles = [
  {
    title: 'Listeners', format: compact, values: ({ now }) => [now.listeners],
    text: ({ now }) => count(now.listeners), below: ({ now }) => `${count(now.connections)} connections`,
  },
  {
    title: 'Events in', unit: '/s', format: compact, values: ({ published }) => [published],
    text: ({ published }) => rate(published),
    below: ({ now, publishedBytes }) => `${count(now.published)} in all · ${perSecond(bytes)(publishedBytes)}`,
  },
  {
    title: 'Deliveries out', unit: '/s', format: compact, values: ({ delivered }) => [delivered],
    text: ({ delivered }) => rate(delivered),
    below: ({ now, sends }) => `${count(now.delivered)} in all · ${rate(sends)} sends/s`,
  },
  {
    title: 'Bytes out', unit: '/s', format: bytes, values: ({ deliveredBytes }) => [deliveredBytes],
    text: ({ deliveredBytes }) => bytes(deliveredBytes), below: ({ now }) => `${bytes(now.delivered_bytes)} in all`,
  },
  {
    title: 'Publish to send', unit: 'median', hint: 'From publishing to handing over to a listener, in the last second', format: duration,
    series: [{ label: 'p99', token: 'plot-2' }, { label: 'p50', token: 'accent' }],
    values: ({ now }) => [now.p99_us === null ? null : ms(now.p99_us), now.p50_us === null ? null : ms(now.p50_us)],
    text: ({ now }) => duration(ms(now.p50_us)), below: ({ now }) => `99 % within ${duration(ms(now.p99_us))}`,
    none: 'nothing was delivered in the last second',
  },
  {
    title: 'Lag', hint: 'How far behind the slowest listener is, and how many wait for their socket or read history',
    format: duration, values: ({ now }) => [now.lag_ms],
    text: ({ now }) => (now.lagging ? duration(now.lag_ms) : '0'),
    below: ({ now }) => (now.lagging ? `${count(now.lagging)} listeners behind` : 'nobody is behind'),
  },
  {
    title: 'Memory', format: bytes, values: ({ now }) => [now.memory], text: ({ now }) => bytes(now.memory),
    below: ({ now }) => `history ${bytes(now.history_bytes)} · half-sent ${bytes(now.pinned)}`,
  },
  {
    title: 'Errors', unit: '/s', hint: 'Requests refused, events not stored, gaps told, inboxes full', format: rate,
    values: ({ errors }) => [errors], text: ({ errors }) => rate(errors),
    below: ({ now }) => `${count(now.refused)} refused · ${count(now.gaps)} gaps · ${count(now.unstored)} not stored`,
    bad: ({ errors }) => errors > 0,
  },
];

export function overviewView(main) {
  const grid = make('div', { class: 'tiles' });
  const problem = make('p', { class: 'note warn', hidden: true });
  const server = createServerCard();
  main.append(
    make('div', { class: 'head' },
      make('h1', {}, 'Overview'), make('span', { class: 'soft end' }, `the last ${minutes} minutes, every second`)),
    problem, grid, server.element,
  );
  const made = tiles.map((tile) => createTile(tile));
  grid.append(...made.map(({ element }) => element));
  const plots = made.map(({ plotPlace }, index) => createPlot(plotPlace, {
    series: tiles[index].series ?? [{ label: tiles[index].title, token: tiles[index].token }],
    format: tiles[index].format,
    binary: tiles[index].format === bytes,
    seconds: minutes * 60,
    label: `${tiles[index].title}: no figures yet`,
  }));

  const push = (sample) => plots.forEach((plot, index) => plot.push(sample.at, tiles[index].values(sample)));
  const show = (sample) => {
    made.forEach((tile, index) => plots[index].describe(tile.show(sample)));
    server.show(sample);
  };
  const onFigures = () => {
    push(live.samples.at(-1));
    show(live.samples.at(-1));
  };
  const onState = () => {
    problem.hidden = !['refused', 'waiting'].includes(live.state);
    setText(problem, live.state === 'refused'
      ? `The server refuses its figures: ${live.problem.message}` : 'The server does not answer. Trying again.');
  };
  live.samples.forEach(push);
  if (live.samples.length) {
    show(live.samples.at(-1));
  }
  live.addEventListener('figures', onFigures);
  live.addEventListener('state', onState);
  onState();
  return {
    title: 'Overview',
    end() {
      live.removeEventListener('figures', onFigures);
      live.removeEventListener('state', onState);
      plots.forEach((plot) => plot.destroy());
    },
  };
}
