// A plot of the last minutes: lines over time, on uPlot. It keeps a bounded number of points, draws in the colours of the
// theme, follows the width of its element, and can be read by a screen reader, because whoever makes it says what it shows.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { colour } from './theme.js';

// `series`: [{ label, token }]; `format`: a value as text; `seconds`: how far back. push(at, values) takes milliseconds
// since 1970 and a value for each series, or null where there is none.
export function createPlot(element, { series, format, seconds = 300, height = 96, label, points = 1200 }) {
  let data = [[], ...series.map(() => [])];
  let plot;

  function options() {
    const axis = { stroke: colour('ink-soft'), font: '11px system-ui, sans-serif', grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } };
    return {
      width: Math.max(element.clientWidth, 120),
      height,
      legend: { show: false },
      cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
      padding: [6, 0, 0, 0],
      scales: { x: { range: (u, min, max) => [(max ?? 0) - seconds, max ?? 0] }, y: { range: (u, min, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [
        { ...axis, size: 22, space: 60, values: (u, times) => times.map((at) => ago(data[0].at(-1) - at)) },
        { ...axis, size: 52, space: 34, values: (u, values) => values.map(format) },
      ],
      series: [{}, ...series.map(({ label: name, token = 'accent' }, index) => ({
        label: name, stroke: colour(token), width: 1.5, points: { show: false }, spanGaps: false,
        fill: index === 0 ? withAlpha(colour(token), 0.1) : undefined,
      }))],
    };
  }

  function draw() {
    plot?.destroy();
    plot = new uPlot(options(), data, element);
  }

  const resized = new ResizeObserver(() => plot.setSize({ width: Math.max(element.clientWidth, 120), height }));
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', label);
  draw();
  resized.observe(element);
  addEventListener('themechange', draw);

  return {
    push(at, values) {
      const oldest = at / 1000 - seconds;
      const from = Math.max(data[0].findIndex((time) => time >= oldest), data[0].length + 1 - points, 0);
      data = [at / 1000, ...values].map((value, index) => [...data[index].slice(from), value]);
      plot.setData(data);
    },
    describe(text) {
      element.setAttribute('aria-label', text);
    },
    destroy() {
      removeEventListener('themechange', draw);
      resized.disconnect();
      plot.destroy();
    },
  };
}

function ago(seconds) {
  if (!(seconds >= 1)) {
    return 'now';
  }
  return seconds < 60 ? `−${Math.round(seconds)} s` : `−${Math.round(seconds / 6) / 10} min`;
}

const withAlpha = (rgb, alpha) => rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
