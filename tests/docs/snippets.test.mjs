// What pages show beside commands: JSON parses, config files are what `freshet serve --check` takes, JavaScript and the
// scripts of HTML are JavaScript. `<!-- not checked: REASON -->` in front of a block leaves it out.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { certificate } from '../integration/harness/certificates.mjs';
import { binary, test } from '../integration/harness/env.mjs';
import { blocksOf, pages, remarked } from './markdown.mjs';

const blocks = pages.flatMap((page) => blocksOf(page)).filter((block) => remarked(block, 'not checked') === undefined);
const of = (...languages) => blocks.filter((block) => languages.includes(block.language));
const where = ({ page, line }) => `${page}:${line}`;

function inFolder(work) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'freshet-docs-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('JSON parses', (t) => {
  for (const block of of('json')) {
    assert.doesNotThrow(() => JSON.parse(block.text), where(block));
  }
  for (const block of of('ndjson')) {
    block.lines.forEach((line) => assert.doesNotThrow(() => JSON.parse(line), where(block)));
  }
  t.diagnostic(`${of('json', 'ndjson').length} blocks`);
});

// Certificates that a file names are one that is made here.
test('config files are taken by freshet serve --check', (t) => {
  inFolder((folder) => {
    const pair = certificate(folder, 'all');
    appendFileSync(pair.cert, readFileSync(pair.key));
    for (const block of of('ini')) {
      const file = path.join(folder, 'freshet.conf');
      writeFileSync(file, block.text.replace(/\/etc\/\S+\.pem/g, pair.cert).replace(/\/etc\/freshet\/secret/g, `${folder}/secret`)
        .replace(/\/var\/lib\/freshet/g, `${folder}/data`));
      writeFileSync(`${folder}/secret`, 'x'.repeat(48));
      const { status, stdout, stderr } = spawnSync(binary, ['serve', '--check', '--insecure', '--config', file], { encoding: 'utf8', env: {} });
      assert.equal(status, 0, `${where(block)}\n${stdout}${stderr}`);
    }
  });
  t.diagnostic(`${of('ini').length} files`);
});

test('JavaScript is JavaScript', (t) => {
  const scripts = [
    ...of('js').map((block) => [block, block.text]),
    ...of('html').flatMap((block) => [...block.text.matchAll(/<script[^>]*>([^]*?)<\/script>/g)].map(([, text]) => [block, text])),
  ];
  // Parsed as modules, all by one process.
  const parse = 'for (const [where, text] of JSON.parse(fs.readFileSync(0))) {'
    + 'try { new vm.SourceTextModule(text); } catch (error) { console.log(`${where}: ${error}`); } }';
  const { stdout, status } = spawnSync(process.execPath, ['--experimental-vm-modules', '--no-warnings', '-e', parse], {
    input: JSON.stringify(scripts.map(([block, text]) => [where(block), text])), encoding: 'utf8',
  });
  assert.deepEqual([status, stdout], [0, '']);
  t.diagnostic(`${scripts.length} scripts`);
});

test('every block says what it is in', () => {
  assert.deepEqual(pages.flatMap((page) => blocksOf(page)).filter((block) => block.language === '').map(where), []);
});
