// examples/node: the site with messages in a real browser, and the listener in Node.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root, test } from '../integration/harness/index.mjs';
import { exampleTest } from './harness.mjs';
import { listener, messages } from './messages.mjs';

exampleTest('node: what one page says all pages show, and a restart loses and repeats nothing', {}, async (t) => {
  await messages(t, 'node', ['node', 'server.mjs']);
});

exampleTest('node: listen.mjs prints each event once, over a restart', { browser: false }, async (t) => {
  await listener(t, 'node', ['node', 'listen.mjs', 'news']);
});

test('the page is the same in every language', () => {
  const page = (folder) => readFileSync(path.join(root, 'examples', folder, 'page.html'), 'utf8');
  for (const folder of ['python', 'php', 'go']) {
    assert.equal(page(folder), page('node'), folder);
  }
});
