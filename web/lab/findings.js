// The findings as tables of text: what the page shows and what is copied as Markdown are made of the same rows.

import { bytes, count, duration, none } from '../shared/format.js';
import { protocolName } from './experiment_twelve.js';

const perMessage = (value) => (value === undefined ? none : `${value < 100 ? value.toFixed(1) : Math.round(value)} B`);

// What is told of the bytes of each transport: the best figure that there is, and how it was measured.
export function bytesOf({ Transport, measures: { wire } }) {
  if (Transport.api === 'fetch') {
    return { text: perMessage(wire.perMessageAnswered), how: 'transferSize of every answer' };
  }
  if (Transport.api === 'EventSource' && wire.perMessageEnded !== undefined) {
    return { text: perMessage(wire.perMessageEnded), how: 'encodedBodySize of the streams that have ended' };
  }
  const how = Transport.api === 'EventSource' ? 'counted, before compression' : 'counted, frame by frame';
  return { text: perMessage(wire.perMessageCounted), how };
}

const rows = [
  ['Time to connect', ({ measures }) => duration(measures.connectMs)],
  ['Messages received', ({ measures }) => count(measures.received)],
  ['Latency, average', ({ measures }) => duration(measures.averageMs)],
  ['Latency, p99', ({ measures }) => duration(measures.p99Ms)],
  ['Bytes a message', (lane) => bytesOf(lane).text],
  ['… measured as', (lane) => bytesOf(lane).how],
  ['Reconnects', ({ measures }) => count(measures.reconnects)],
  ['Lost', ({ measures }) => count(measures.sequences.lost)],
  ['Repeated', ({ measures }) => count(measures.sequences.repeated)],
  ['Caught up after a break', ({ measures }) => count(measures.caughtUp)],
  ['Gaps that the server told of', ({ measures }) => count(measures.gaps)],
];

export const transportsTable = (lanes) => ({
  title: 'Transports',
  head: ['', ...lanes.map(({ label }) => label)],
  rows: rows.map(([name, value]) => [name, ...lanes.map(value)]),
});

export const breakTable = (broken) => ({
  title: 'The last break',
  head: ['Client', 'Broken by', 'Came back by', 'Away', 'Got of what was sent meanwhile', 'Lost in all', 'Repeated', 'Gaps told'],
  rows: broken.map((each) => [each.label, each.by, each.back, duration(each.awayMs), `${each.arrived} of ${each.published}`,
    ...[each.lost, each.repeated, each.gaps].map(count)]),
});

export const twelveTable = ({ protocol, rows: trials }) => ({
  title: `Twelve streams over ${protocolName(protocol)}`,
  head: ['Trial', 'Opened', 'Topics heard', 'First after', 'Last after', 'One closed, next opened after'],
  rows: trials.map((each) => [each.label, `${each.opened} of ${each.wanted}`, count(each.wanted === 1 ? each.opened * each.topics : each.opened),
    duration(each.firstMs), duration(each.lastMs), each.opened < each.wanted ? duration(each.roomMs) : none]),
});

// Where and when it was measured.
export function context({ protocol, topic, published, messageMs, statusMs, size }) {
  return `${protocolName(protocol)}${location.protocol === 'https:' ? ' with TLS' : ''}, ${location.host}, topic ${topic}; ` +
    `${count(published)} published, a message every ${duration(messageMs)}, a status line every ${duration(statusMs)}` +
    `${size ? `, ${bytes(size)} added to each` : ''}`;
}

const cell = (text) => text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('\n', ' ');
const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;

function tableMarkdown({ title, head, rows: body }) {
  return [`### ${title}`, '', line(head), line(head.map(() => '---')), ...body.map(line), ''].join('\n');
}

export function markdown(about, tables) {
  return [`## freshet, transports measured in a browser`, '', `${new Date().toISOString()}; ${about}.`, '', navigator.userAgent, '',
    ...tables.map(tableMarkdown)].join('\n');
}
