// What the documentation names is there: metrics of a running server, flags of the program, limits of its counters.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { binary, parseMetrics, request, secret, serve, test } from '../integration/harness/index.mjs';
import { pages, readPage } from './markdown.mjs';

// Every match of the pattern in every page, each with the first place that has it.
function named(pattern) {
  const places = new Map();
  for (const page of pages.filter((name) => name !== 'CHANGELOG.md')) {
    readPage(page).split('\n').forEach((line, at) => {
      for (const [, name] of line.matchAll(pattern)) {
        places.has(name) || places.set(name, `${page}:${at + 1}`);
      }
    });
  }
  return places;
}

const word = secret.replaceAll(' ', '-');

function secretFile(folder) {
  const file = path.join(folder, 'secret');
  writeFileSync(file, word, { mode: 0o600 });
  return file;
}

const missing = (places, known) => [...places].filter(([name]) => !known(name)).map(([name, place]) => `${place}: ${name}`);

test('every metric that a page names is in /metrics', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'freshet-docs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const nobody = 'http://127.0.0.1:9/'; // some metrics are there only with what they count
  const server = await serve(t, ['--data', path.join(folder, 'data'), '--auth-url', nobody, '--webhook-url', nobody,
    '--webhook-secret-file', secretFile(folder), '--admin-token-file', secretFile(folder)]);
  const { samples, types } = parseMetrics((await request(t, server, {
    path: '/metrics', headers: { authorization: `Bearer ${word}` } })).body);
  const names = named(/\b(freshet_[a-z_]*[a-z])\b(?!_|=|`?\))/g);
  const notMetrics = /^freshet_(token|strerror|text|allocator|event|event_flag|error|utf8_check|parser.*|writer.*)$/;
  assert.deepEqual(missing(names, (name) => types.has(name) || notMetrics.test(name)), []);
  const limits = named(/limit="([a-z0-9-]+)"/g);
  assert.deepEqual(missing(limits, (name) => samples.has(`freshet_limit_hits_total{limit="${name}"}`)), []);
});

test('every flag that a page names is one of the program', () => {
  const commands = ['serve', 'pub', 'sub', 'bench', 'doctor', 'token', 'key', 'history export', 'history import', 'history check', 'history compact'];
  const help = commands.map((command) => execFileSync(binary, [...command.split(' '), '--help'], { encoding: 'utf8' })).join('');
  const flags = new Set([...help.matchAll(/--(\[no-\])?([a-z][a-z0-9-]*)/g)].flatMap(([, negated, name]) => (negated ? [name, `no-${name}`] : [name])));
  const others = new Set(['help-markdown', 'help-man', 'help', 'version', 'check']); // of the program, but in no table
  const names = named(/`--([a-z][a-z0-9-]*[a-z0-9])[ `=]/g);
  // Flags of other programs are named behind their program, never alone; but the tables of bench/ have a column for theirs.
  const own = new Map([...names].filter(([, place]) => !place.startsWith('docs/performance')));
  assert.deepEqual(missing(own, (name) => flags.has(name) || others.has(name)), []);
});
