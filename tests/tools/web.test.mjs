// The parts of the console that need no page: taking an event stream apart, sampling, rates, figures in text.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sample } from '../../web/console/sample.js';
import { createRates } from '../../web/console/topic_rate.js';
import { ago, bytes, duration, rate } from '../../web/shared/format.js';
import { createSplitter, isControl, parse } from '../../web/shared/sse.js';

const gap = 'event: freshet.gap\ndata: {}';

test('an event stream comes apart at empty lines, however it is cut', () => {
  const text = `:\nretry: 100\n${gap}\n\nid: 1-0\ndata: a\ndata:\ndata:  b: c\n\n:\nid: 1-1\nevent: x\ndata: é\n\nid: 1-2\n`;
  const whole = createSplitter()(text);
  assert.equal(whole.length, 3);
  for (let cut = 0; cut < text.length; cut++) {
    const split = createSplitter();
    assert.deepEqual([...split(text.slice(0, cut)), ...split(text.slice(cut))], whole);
  }
  assert.deepEqual(whole.map(parse), [
    { type: 'freshet.gap', retry: 100, data: '{}' },
    { type: 'message', id: '1-0', data: 'a\n\n b: c' },
    { type: 'x', id: '1-1', data: 'é' },
  ]);
  assert.deepEqual(whole.map(isControl), [true, false, false]);
  assert.equal(isControl('id: 1-0\ndata: event: freshet.gap'), false);
});

test('a sample is even, has the last one always, and what the server says itself', () => {
  for (let count = 1; count < 3000; count += 13) {
    const blocks = Array.from({ length: count }, (_, i) => `data: ${i}`);
    for (const most of [1, 3, 7, 37, 999, 1000]) {
      const taken = sample(blocks, most);
      assert.equal(taken.length, Math.min(count, most));
      assert.equal(taken.at(-1), blocks.at(-1));
    }
  }
  assert.deepEqual(sample(['a', gap, 'b', 'c'], 1), [gap, 'c']);
});

test('the rate of a topic: what came since, or what is kept where history has dropped some', () => {
  const rates = createRates();
  const look = (row, at) => {
    const value = rates.of({ topic: 'a', ...row }, at);
    rates.settle();
    return value;
  };
  assert.ok(Number.isNaN(look({ events: 10, oldest: '1000-0', newest: '2000-0' }, 2000)));
  assert.equal(look({ events: 30, oldest: '1000-0', newest: '3900-0' }, 4000), 10);
  assert.equal(look({ events: 30, oldest: '1000-0', newest: '3900-0' }, 6000), 0);
  assert.equal(look({ events: 30, oldest: '5000-0', newest: '8000-0' }, 8000), 10);
  assert.equal(look({ events: 0, oldest: null, newest: null }, 9000), 0);
});

test('figures are short', () => {
  assert.deepEqual([0, 0.05, 9.94, 12, 1500, 61_000, 90_061_000].map(duration), ['0 ms', '0.05 ms', '9.9 ms', '12 ms', '1.5 s', '1 min 1 s', '1 d 1 h']);
  assert.deepEqual([0, 1023, 1024, 1536, 10 * 1024 ** 3].map(bytes), ['0 B', '1023 B', '1 KiB', '1.5 KiB', '10 GiB']);
  assert.deepEqual([0, 0.44, 9.94, 12_345.6, NaN].map(rate), ['0', '0.4', '9.9', '12,346', '–']);
  assert.deepEqual([-5, 999, 2000].map(ago), ['now', 'now', '2.0 s ago']);
});
