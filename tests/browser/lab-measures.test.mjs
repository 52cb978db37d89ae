// What the lab measures with, without a browser: numbers that are missing or come twice, bytes, and what is copied.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Measures, now } from '../../web/lab/measures.js';
import { Sequences } from '../../web/lab/sequences.js';
import { eventStreamBytes, webSocketBytes, Wire } from '../../web/lab/wire.js';

function counts(numbers, sequences = new Sequences()) {
  numbers.forEach((number) => sequences.note('p', number));
  return [sequences.lost, sequences.repeated];
}

test('a hole is lost until it is filled, and a second time is repeated', () => {
  assert.deepEqual(counts([5, 6, 7]), [0, 0], 'it begins where it begins');
  assert.deepEqual(counts([1, 4]), [2, 0]);
  assert.deepEqual(counts([1, 4, 2, 3]), [0, 0]);
  assert.deepEqual(counts([1, 4, 2, 2, 4]), [1, 2]);
  assert.deepEqual(counts([3, 1]), [0, 1], 'what was before the beginning counts as seen');
});

test('each publisher has its own numbers', () => {
  const sequences = new Sequences();
  sequences.note('a', 1);
  sequences.note('b', 100);
  sequences.note('a', 2);
  sequences.note('b', 102);
  assert.deepEqual([sequences.lost, sequences.repeated], [1, 0]);
});

test('a restart forgets where it was, and keeps the sums', () => {
  const sequences = new Sequences();
  counts([1, 3], sequences);
  sequences.restart();
  assert.deepEqual(counts([10, 12], sequences), [2, 0]);
});

test('hostile numbers take bounded room and time', () => {
  const sequences = new Sequences();
  assert.deepEqual(counts([0, Number.MAX_SAFE_INTEGER], sequences), [Number.MAX_SAFE_INTEGER - 1, 0]);
  for (let i = 0; i < 1000; i++) {
    sequences.note(`p${i}`, i);
  }
  assert.equal(sequences.repeated, 0);
});

test('latency is of messages that were sent while it was open, by this page', () => {
  const measures = new Measures();
  measures.opened(5);
  const message = (seq, sentAt) => ({ from: 'me', seq, sentAt, kind: 'message' });
  measures.take(message(1, now() - 60_000), true);
  assert.deepEqual([measures.caughtUp, measures.averageMs, measures.p99Ms], [1, undefined, undefined]);
  measures.take(message(2, now() + 60_000), true);
  assert.deepEqual([measures.averageMs, measures.p99Ms], [0, 0], 'no message arrives before it is sent');
  measures.take({ ...message(1, now()), from: 'another' }, false);
  assert.equal(measures.samples.length, 1);
  assert.equal(measures.received, 3);
});

test('time away is between two openings', () => {
  const measures = new Measures();
  assert.equal(measures.awayMs, undefined);
  measures.opened(1);
  measures.closed();
  measures.closed();
  assert.equal(measures.awayMs, undefined);
  measures.opened(undefined);
  assert.ok(measures.awayMs >= 0);
  assert.equal(measures.connectMs, 1, 'what the browser decided says nothing of connecting');
});

test('bytes are counted as they are sent', () => {
  assert.equal(eventStreamBytes({ id: '1-0', type: 'message', data: 'a\nb' }), 'id: 1-0\ndata: a\ndata: b\n\n'.length);
  assert.equal(eventStreamBytes({ id: '1-0', type: 'é', data: '' }), Buffer.byteLength('id: 1-0\nevent: é\ndata: \n\n'));
  assert.deepEqual([125, 126, 65_535, 65_536].map((length) => webSocketBytes('x'.repeat(length)) - length), [2, 4, 4, 10]);
});

test('what the browser tells of a stream goes to the connection that it was', () => {
  const wire = new Wire();
  wire.begin();
  const began = performance.now();
  wire.count();
  wire.count();
  wire.ended({ startTime: began - 1000, responseEnd: began + 1000, encodedBodySize: 0 });
  assert.equal(wire.perMessageEnded, undefined, '0 is what it says of a stream that the page closed');
  wire.ended({ startTime: began + 500, responseEnd: began + 1000, encodedBodySize: 100 });
  assert.equal(wire.perMessageEnded, undefined, 'that was another');
  wire.ended({ startTime: began - 1000, responseEnd: began + 1000, encodedBodySize: 100 });
  assert.equal(wire.perMessageEnded, 50);
});
