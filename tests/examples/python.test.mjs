// examples/python: the site with messages in a real browser, and the listener in Python.

import { test } from '../integration/harness/index.mjs';
import { browserTest, without } from './harness.mjs';
import { listener, messages } from './messages.mjs';

const missing = without('python3', '-c', 'import sys; assert sys.version_info >= (3, 9)');

browserTest('python: what one page says all pages show, and a restart loses and repeats nothing', async (t) => {
  if (missing) {
    return t.skip(missing);
  }
  await messages(t, 'python', ['python3', 'server.py']);
});

test('python: listen.py prints each event once, over a restart', { skip: missing }, async (t) => {
  await listener(t, 'python', ['python3', 'listen.py', 'news']);
});
