// A plot of the last minutes: lines over time, on uPlot. It keeps a bounded number of points, draws in the colours of the
// theme, follows the width of its element, and can be read by a screen reader, because whoever makes it says what it shows.

import uPlot from 'uplot';
import { colour } from './theme.js';

const shortest = 60; // seconds that are shown even when there are fewer
const font = '11px system-ui, sans-serif';
const powersOfTwo = Array.from({ length: 50 }, (_, power) => 2 ** power);

// Seconds between the marks below: three or four of them.
const steps = [10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];
const stepOf = (span) => steps.find((step) => span / step <= 4) ?? span;

function ago(seconds) {
  if (seconds < 0.5) {
    return 'now';
  }
  return seconds < 60 || seconds % 60 ? `−${Math.round(seconds)} s` : `−${Math.round(seconds / 60)} min`;
}

const withAlpha = (rgb, alpha) => rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);

// `series`: [{ label, token }]; `format`: a value as text; `seconds`: how far back; `binary`: marks at powers of two, for
// bytes. push(at, values) takes milliseconds since 1970 and a value for each series, or null where there is none.
export function createPlot(element, { series, format, seconds = 300, height = 96, label, points = 1200, binary = false }) {
  let data = [[], ...series.map(() => [])];
  let plot;

  const newest = () => data[0].at(-1) ?? 0;
  const span = () => Math.min(Math.max(newest() - (data[0][0] ?? newest()), shortest), seconds);

  // Counted back from now, so that the marks stand still while the lines move.
  function marks() {
    const step = stepOf(span());
    return Array.from({ length: Math.floor(span() / step) + 1 }, (_, index) => newest() - index * step).reverse();
  }

  function axes() {
    const axis = { stroke: colour('ink-soft'), font, gap: 4, grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } };
    return [
      { ...axis, size: 20, splits: marks, values: (u, times) => times.map((at) => ago(newest() - at)) },
      {
        ...axis, space: 34, ...(binary && { incrs: powersOfTwo }), values: (u, values) => values.map(format),
        size: (u, values) => 8 + 6.4 * Math.max(3, ...(values ?? []).map((text) => text.length)),
      },
    ];
  }

  function lines() {
    return series.map(({ label: name, token = 'accent' }, index) => ({
      label: name, stroke: colour(token), width: 1.5, points: { show: false }, spanGaps: false,
      fill: index === 0 ? withAlpha(colour(token), 0.1) : undefined,
    }));
  }

  function draw() {
    plot?.destroy();
    plot = new uPlot({
      width: Math.max(element.clientWidth, 120),
      height,
      legend: { show: false },
      cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
      padding: [6, 14, 0, 0],
      scales: { x: { range: () => [newest() - span(), newest()] }, y: { range: (u, min, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: axes(),
      series: [{}, ...lines()],
    }, data, element);
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
      const first = data[0].findIndex((time) => time >= oldest);
      const from = Math.max(first < 0 ? data[0].length : first, data[0].length + 1 - points, 0);
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
