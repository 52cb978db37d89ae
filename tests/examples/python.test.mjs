// examples/python: the site with messages in a real browser, and the listener in Python.

import { exampleTest, without } from './harness.mjs';
import { listener, messages } from './messages.mjs';

const missing = without('python3', '-c', 'import sys; assert sys.version_info >= (3, 9)');

exampleTest('python: what one page says all pages show, and a restart loses and repeats nothing', { needs: [missing] }, async (t) => {
  await messages(t, 'python', ['python3', 'server.py']);
});

exampleTest('python: listen.py prints each event once, over a restart', { needs: [missing], browser: false }, async (t) => {
  await listener(t, 'python', ['python3', 'listen.py', 'news']);
});
