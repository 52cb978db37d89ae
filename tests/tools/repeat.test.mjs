// tests/run under FRESHET_REPEAT: what is run again, and what it is called then.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const harness = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../integration/harness/env.mjs');
const run = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../run');

// Runs as many files, each of whose one test fails by `message` until it was run `times` times.
function runFailing(t, { files = 1, times, message = 'lost a race', repeat = '2' }) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'freshet-repeat-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const names = Array.from({ length: files }, (_, i) => path.join(dir, `${i}.test.mjs`));
  for (const name of names) {
    writeFileSync(name, `
      import { appendFileSync, readFileSync } from 'node:fs';
      import { test } from '${harness}';
      test('fails at first', () => {
        appendFileSync('${name}.runs', 'x');
        if (readFileSync('${name}.runs').length <= ${times}) throw new Error('${message}');
      });`);
  }
  const env = { ...process.env, FRESHET_REPEAT: repeat, FRESHET_SLOW: '1' };
  delete env.NODE_TEST_CONTEXT;
  return spawnSync(run, names, { env, encoding: 'utf8' });
}

test('a file that passes when it is run again is unsteady, and no failure', (t) => {
  const { status, stdout } = runFailing(t, { files: 2, times: 1 });
  assert.equal(status, 0, stdout);
  assert.equal(stdout.match(/^unsteady: \S+\/\d\.test\.mjs failed, and passed when it was run again$/gm)?.length, 2);
});

test('what fails twice has failed', (t) => {
  const { status, stdout } = runFailing(t, { times: 2 });
  assert.notEqual(status, 0);
  assert.doesNotMatch(stdout, /unsteady/);
});

test('three files are too many for chance', (t) => {
  assert.notEqual(runFailing(t, { files: 3, times: 1 }).status, 0);
});

test('a report of a sanitizer stands', (t) => {
  assert.notEqual(runFailing(t, { times: 1, message: 'left a sanitizer\\\'s report' }).status, 0);
});

test('nothing is run again unless asked', (t) => {
  assert.notEqual(runFailing(t, { times: 1, repeat: '' }).status, 0);
});
