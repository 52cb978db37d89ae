// The site that `make site` makes: every page is there, and every link of it leads to a file of the site, and to an anchor
// that is in it.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root, test } from '../integration/harness/env.mjs';
import { designPages, pages } from './markdown.mjs';

const lacks = spawnSync('sh', ['-c', 'command -v cmark-gfm']).status !== 0 && 'there is no cmark-gfm here';
const program = path.join(root, 'tools/site.mjs');

function temporary(t) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'freshet-site-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// What is wrong with a link of a file of the site, or undefined.
function complaintOf(file, href) {
  const [target, anchor] = decodeURI(href).split('#');
  const other = target === '' ? file : path.join(path.dirname(file), target);
  if (!existsSync(other) || !statSync(other).isFile()) {
    return 'no such file';
  }
  return anchor && !readFileSync(other, 'utf8').includes(` id="${anchor}"`) ? 'no such anchor' : undefined;
}

test('every page is in the site, and its links lead somewhere', { skip: lacks }, (t) => {
  const site = path.join(temporary(t), 'site');
  execFileSync(process.execPath, [program, site]);
  const files = readdirSync(site, { recursive: true }).filter((name) => name.endsWith('.html')).map((name) => path.join(site, name));
  assert.equal(files.length, pages.length + designPages.length + 1);
  const wrong = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/ (?:href|src)="([^"]*)"/g)]
    .map(([, href]) => href).filter((href) => !/^[a-z]+:/.test(href))
    .flatMap((href) => (complaintOf(file, href) ? [`${path.relative(site, file)}: ${href}: ${complaintOf(file, href)}`] : [])));
  assert.deepEqual(wrong, []);
});

test('the site takes the place of no folder that is something else', { skip: lacks }, (t) => {
  const folder = path.join(temporary(t), 'mine');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'precious'), '');
  const { status, stderr } = spawnSync(process.execPath, [program, folder], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /no site that this made/);
  assert.ok(existsSync(path.join(folder, 'precious')));
});
