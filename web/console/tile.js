// One figure of the overview: its name, its value, a line that explains it, and room for its plot.

import { make, setText } from '../shared/dom.js';
import { none } from '../shared/format.js';

export function createTile({ title, unit = '', hint, series, text, below, bad, none: nothing }) {
  const value = make('span', { class: 'value' }, none);
  const unitPlace = make('span', { class: 'unit soft' }, unit);
  const line = make('p', { class: 'below soft clip' });
  const plotPlace = make('div', { class: 'plot' });
  const keys = series?.map(({ label, token }) => make('span', { class: `key ${token}` }, label));
  const element = make('section', { class: 'card tile', 'aria-label': title, title: hint ?? null },
    make('header', {}, make('h2', {}, title), keys && make('span', { class: 'keys', 'aria-hidden': 'true' }, keys)),
    make('p', { class: 'figure' }, value, unitPlace),
    line, plotPlace);
  return {
    element,
    plotPlace,
    // Shows the sample, and returns what a screen reader is told of the plot.
    show(sample) {
      const now = text(sample);
      setText(value, now);
      unitPlace.hidden = now === none;
      setText(line, now === none && nothing ? nothing : below(sample));
      value.classList.toggle('bad', Boolean(bad?.(sample)));
      return `${title}: now ${now}${unitPlace.hidden ? '' : unit}`;
    },
  };
}
