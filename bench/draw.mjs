#!/usr/bin/env node
// Draws the curves that bench/curves.mjs left in build-bench/curves.json, one picture each, as SVG written by hand: both
// axes logarithmic, because what matters is how steep a line is. A card of its own colour keeps it readable on light and
// on dark pages.
//
// usage: bench/draw.mjs [FOLDER]      docs/pictures unless said otherwise

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, root } from './lab.mjs';

const WIDTH = 760;
const HEIGHT = 440;
const PLOT = { left: 78, right: WIDTH - 28, top: 112, bottom: HEIGHT - 76 };
const INK = '#1f2933';
const FAINT = '#5f6c7b';
const GRID = '#e3e8ee';
const FONT = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"';
const LOOKS = [
  { color: '#0b6bcb', marker: 'circle' }, { color: '#d9660f', marker: 'square' }, { color: '#5b8c2a', marker: 'diamond' },
];
const FLOOR = { color: '#7b8794', marker: 'square', dash: '6 4' };

const escape = (text) => text.replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char]);
const round = (value) => Number(value.toFixed(1));

function text(x, y, content, { size = 13, color = INK, anchor = 'start', weight = 400, more = '' } = {}) {
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${color}" text-anchor="${anchor}" font-weight="${weight}" ${more}>${escape(content)}</text>`;
}

function short(value) {
  const units = [[1e6, 'M'], [1e3, 'k']];
  const [size, letter] = units.find(([least]) => value >= least) ?? [1, ''];
  return `${Number((value / size).toPrecision(3))}${letter}`;
}

// Whole decades for a wide range, 1-2-5 for a narrow one; never so narrow that a little looks steep.
const LEAST_SPAN = 10;

function scale(values, from, to) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const narrow = high / low < 200;
  const steps = narrow ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.ceil(Math.log10(high)) + 1; power++) {
    ticks.push(...steps.map((step) => Number(`${step}e${power}`)));
  }
  const first = ticks.findLast((tick) => tick <= low * 1.0001);
  const end = ticks.find((tick) => tick >= Math.max(high, first * LEAST_SPAN) * 0.9999);
  const span = Math.log10(end / first);
  const at = (value) => from + (Math.log10(value / first) / span) * (to - from);
  return { at, ticks: ticks.filter((tick) => tick >= first && tick <= end) };
}

// On the x axis the line runs from the first to the last point; ticks are at the decades between them.
function acrossScale(values, from, to) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const at = (value) => from + (Math.log10(value / low) / Math.log10(high / low)) * (to - from);
  const ticks = [];
  for (let power = Math.ceil(Math.log10(low) - 0.001); power <= Math.log10(high) + 0.001; power++) {
    ticks.push(10 ** power);
  }
  return { at, ticks };
}

function marker(shape, x, y, color) {
  const at = `fill="${color}" stroke="#fff" stroke-width="1.5"`;
  switch (shape) {
    case 'square': return `<rect x="${round(x - 4)}" y="${round(y - 4)}" width="8" height="8" ${at}/>`;
    case 'diamond': return `<rect x="${round(x - 4)}" y="${round(y - 4)}" width="8" height="8" transform="rotate(45 ${round(x)} ${round(y)})" ${at}/>`;
    default: return `<circle cx="${round(x)}" cy="${round(y)}" r="4.5" ${at}/>`;
  }
}

function axes({ x, y }, across, up) {
  const parts = [];
  for (const tick of up.ticks) {
    const at = up.at(tick);
    parts.push(`<path d="M${PLOT.left} ${round(at)}H${PLOT.right}" stroke="${GRID}"/>`, text(PLOT.left - 10, at + 4, short(tick), { anchor: 'end', color: FAINT }));
  }
  for (const tick of across.ticks) {
    const at = across.at(tick);
    parts.push(`<path d="M${round(at)} ${PLOT.top}V${PLOT.bottom}" stroke="${GRID}"/>`, text(at, PLOT.bottom + 21, short(tick), { anchor: 'middle', color: FAINT }));
  }
  parts.push(`<path d="M${PLOT.left} ${PLOT.bottom}H${PLOT.right}" stroke="${FAINT}"/>`);
  parts.push(text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 45, x, { anchor: 'middle' }));
  const middle = (PLOT.top + PLOT.bottom) / 2;
  parts.push(text(24, middle, y, { anchor: 'middle', more: `transform="rotate(-90 24 ${middle})"` }));
  return parts;
}

const looksOf = (series) => {
  let next = 0;
  return series.map(({ name }) => (name === 'bare send()' ? FLOOR : LOOKS[next++ % LOOKS.length]));
};

function legend(series, looks) {
  const parts = [];
  let x = PLOT.left;
  series.forEach(({ name }, i) => {
    const { color, dash, marker: shape } = looks[i];
    parts.push(`<path d="M${x} 88H${x + 30}" stroke="${color}" stroke-width="2.5" ${dash ? `stroke-dasharray="${dash}"` : ''}/>`);
    parts.push(marker(shape, x + 15, 88, color), text(x + 38, 92.5, name));
    x += 38 + name.length * 7.4 + 28;
  });
  return parts;
}

function lines(series, looks, across, up) {
  const drawn = series.map(({ points }, i) => {
    const { color, dash, marker: shape } = looks[i];
    const route = points.map(([x, y]) => `${round(across.at(x))} ${round(up.at(y))}`).join('L');
    const line = `<path d="M${route}" fill="none" stroke="${color}" stroke-width="2.5" stroke-linejoin="round" ${dash ? `stroke-dasharray="${dash}"` : ''}/>`;
    return [line, ...points.map(([x, y]) => marker(shape, across.at(x), up.at(y), color))];
  });
  return drawn.reverse().flat(); // the first series, which is what it is about, lies on top
}

function draw(curve, machine) {
  const { series, title, about } = curve;
  const points = series.flatMap((each) => each.points);
  const across = acrossScale(points.map(([x]) => x), PLOT.left + 14, PLOT.right - 14);
  const up = scale(points.map(([, y]) => y), PLOT.bottom, PLOT.top);
  const looks = looksOf(series);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" ${FONT}>
<title>${escape(title)}</title>
<desc>${escape(about)}</desc>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="10" fill="#fff" stroke="#cbd2d9"/>
${[text(24, 36, title, { size: 18, weight: 600 }), text(24, 58, about, { size: 12, color: FAINT }), ...legend(series, looks),
    ...axes(curve, across, up), ...lines(series, looks, across, up),
    text(PLOT.right, HEIGHT - 14, machine, { size: 11, color: FAINT, anchor: 'end' })].join('\n')}
</svg>
`;
}

const folder = path.resolve(process.argv[2] ?? path.join(root, 'docs/pictures'));
const { about, curves } = JSON.parse(readFileSync(path.join(build, 'curves.json'), 'utf8'));
mkdirSync(folder, { recursive: true });
for (const [name, curve] of Object.entries(curves)) {
  writeFileSync(path.join(folder, `${name}.svg`), draw(curve, about.replace(/, load average.*/, '')));
}
console.error(`draw: ${Object.keys(curves).length} pictures in ${path.relative(process.cwd(), folder)}`);
