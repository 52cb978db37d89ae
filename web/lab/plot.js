// The last minute of the three transports: above, when each was open; below, each message as a point, by its latency on a
// logarithmic scale. Colour is never alone: each has a shape of its own.

import { duration } from '../shared/format.js';
import { colour } from '../shared/theme.js';
import { now } from './measures.js';

const SPAN_MS = 60_000;
const HEIGHT = 260;
const MARGIN = { left: 64, right: 12, top: 56, bottom: 24 };
const ROW = 16;

const shapes = {
  circle(context, x, y) {
    context.arc(x, y, 2.4, 0, 2 * Math.PI);
  },
  square(context, x, y) {
    context.rect(x - 2.2, y - 2.2, 4.4, 4.4);
  },
  triangle(context, x, y) {
    context.moveTo(x, y - 3.2);
    context.lineTo(x + 3, y + 2.4);
    context.lineTo(x - 3, y + 2.4);
    context.closePath();
  },
};

// Whole powers of ten around all that is shown.
function decades(lanes, from) {
  let low = Infinity, high = 0;
  for (const { measures } of lanes) {
    for (const { at, ms } of measures.samples) {
      if (at >= from) {
        low = Math.min(low, ms);
        high = Math.max(high, ms);
      }
    }
  }
  const bottom = Math.floor(Math.log10(Math.max(Math.min(low, 1), 0.1)));
  return [bottom, Math.max(Math.ceil(Math.log10(Math.max(high, 10))), bottom + 1)];
}

// `series`: [{ lane, token, shape }]. draw() shows what is there now.
export function createPlot(canvas, series) {
  const context = canvas.getContext('2d');
  const lanes = series.map(({ lane }) => lane);

  function fit() {
    const width = canvas.clientWidth;
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(HEIGHT * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(HEIGHT * scale);
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    context.font = '11px system-ui, sans-serif';
    return width;
  }

  function drawScale({ x, y, width, low, high, ink, rule }) {
    context.fillStyle = ink;
    context.strokeStyle = rule;
    context.lineWidth = 1;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (let power = low; power <= high; power++) {
      const at = Math.round(y(10 ** power)) + 0.5;
      context.beginPath();
      context.moveTo(MARGIN.left, at);
      context.lineTo(width - MARGIN.right, at);
      context.stroke();
      context.fillText(duration(10 ** power).replace('.0', ''), MARGIN.left - 8, at);
    }
    context.textBaseline = 'alphabetic';
    const step = width < 500 ? 20_000 : 10_000;
    for (let ago = 0; ago <= SPAN_MS; ago += step) {
      context.textAlign = ago === 0 ? 'right' : 'center';
      context.fillText(ago ? `−${ago / 1000} s` : 'now', ago ? x(-ago) : width - MARGIN.right, HEIGHT - 6);
    }
  }

  // A bar while it was wanted, with holes where it was lost.
  function drawState({ lane, token, shape }, index, { x, at, width, rule }) {
    const y = 8 + index * ROW;
    const fill = colour(token);
    context.fillStyle = fill;
    context.beginPath();
    shapes[shape](context, MARGIN.left - 12, y + 4);
    context.fill();
    context.fillStyle = rule;
    context.fillRect(MARGIN.left, y + 3, width - MARGIN.left - MARGIN.right, 2);
    context.fillStyle = fill;
    for (const { from, to = at } of lane.measures.spans.filter((span) => !(span.to < at - SPAN_MS))) {
      const left = Math.max(x(from - at), MARGIN.left);
      context.fillRect(left, y, Math.max(x(to - at) - left, 1), 8);
    }
  }

  function draw() {
    const width = fit();
    if (!width) {
      return;
    }
    const at = now();
    const [low, high] = decades(lanes, at - SPAN_MS);
    const inner = HEIGHT - MARGIN.top - MARGIN.bottom;
    const x = (offset) => MARGIN.left + (width - MARGIN.left - MARGIN.right) * (1 + offset / SPAN_MS);
    const y = (ms) => MARGIN.top + inner * (1 - (Math.log10(Math.max(ms, 10 ** low)) - low) / (high - low));
    const frame = { x, y, at, width, low, high, ink: colour('ink-soft'), rule: colour('line') };
    drawScale(frame);
    series.forEach((each, index) => drawState(each, index, frame));
    for (const { lane, token, shape } of series) {
      context.fillStyle = colour(token);
      context.beginPath();
      for (const sample of lane.measures.samples) {
        if (sample.at >= at - SPAN_MS) {
          context.moveTo(x(sample.at - at), y(sample.ms));
          shapes[shape](context, x(sample.at - at), y(sample.ms));
        }
      }
      context.fill();
    }
  }

  function describe() {
    const told = lanes.map(({ label, measures }) =>
      (measures.p99Ms === undefined ? `${label}: nothing yet` : `${label}: ${duration(measures.averageMs)} on average, p99 ${duration(measures.p99Ms)}`));
    canvas.setAttribute('aria-label', `Latency of each message in the last minute. ${told.join('; ')}.`);
  }

  addEventListener('themechange', draw);
  return { draw, describe };
}
