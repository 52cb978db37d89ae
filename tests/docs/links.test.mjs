// Every relative link of every page leads to a file that is there, and to a heading of it.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { root, test } from '../integration/harness/env.mjs';
import { anchorsOf, designPages, linksOf, pages, readPage } from './markdown.mjs';

// What is wrong with a link of a page, or undefined.
function complaintOf(page, target) {
  const [file, anchor] = target.split('#');
  const other = file === '' ? page : path.join(path.dirname(page), decodeURI(file));
  if (other.startsWith('examples/') && !existsSync(path.join(root, 'examples'))) {
    return undefined; // a tree without the examples
  }
  if (other.startsWith('..') || !existsSync(path.join(root, other))) {
    return 'there is no such file';
  }
  if (anchor !== undefined && other.endsWith('.md') && !anchorsOf(readPage(other)).has(anchor)) {
    return `${other} has no heading for this anchor`;
  }
  return undefined;
}

test('relative links and their anchors lead somewhere', (t) => {
  let count = 0;
  const wrong = [...pages, ...designPages].flatMap((page) => linksOf(readPage(page)).flatMap(({ line, target }) => {
    if (/^[a-z]+:/.test(target)) {
      return [];
    }
    count++;
    const complaint = complaintOf(page, target);
    return complaint ? [`${page}:${line}: ${target}: ${complaint}`] : [];
  }));
  assert.deepEqual(wrong, []);
  t.diagnostic(`${count} links`);
});

test('the index names every page', () => {
  const index = new Set(linksOf(readPage('docs/README.md')).map(({ target }) => path.join('docs', target.split('#')[0])));
  const missing = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md' && !index.has(page));
  assert.deepEqual(missing, []);
});

test('headings of which two would have one anchor are told apart', () => {
  assert.deepEqual([...anchorsOf('# A b\n## A `b`\n```\n# no heading\n```\n## C: d/e\n')], ['a-b', 'a-b-1', 'c-de']);
});
