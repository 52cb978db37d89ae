// The man pages are whole: every command has one, with every section that a reader looks for and every option that its
// help has; what they point to is there; and they can be shown (by man, and by mandoc's judgement, where those are).
// That they are what the program prints is checked by tools/docs.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { binary, root, test } from '../integration/harness/env.mjs';

const folder = path.join(root, 'man');
const pages = readdirSync(folder).filter((name) => /\.\d$/.test(name));
const read = (page) => readFileSync(path.join(folder, page), 'utf8');
const help = (...words) => execFileSync(binary, [...words, '--help'], { encoding: 'utf8' });
const sectionsOf = (text) => [...text.matchAll(/^\.SH (.*)$/gm)].map(([, name]) => name);
const plain = (text) => text.replace(/\\f[BRI]/g, '').replaceAll('\\-', '-').replaceAll('\\&', '').replaceAll('\\e', '\\');

const commands = [...help().match(/^Commands\n((?: {2}.*\n)+)/m)[1].matchAll(/^ {2,6}([a-z]+) /gm)].map(([, name]) => name)
  .filter((name) => name !== 'help' && name !== 'version');
const pageOf = (command) => `freshet-${command}.1`;

test('every command has a page, and so has the config file', () => {
  assert.ok(commands.includes('serve'));
  assert.deepEqual(pages.toSorted(), ['freshet.1', 'freshet.conf.5', ...commands.map(pageOf)].toSorted());
});

test('every page has the sections that a reader looks for', () => {
  for (const page of pages) {
    const expected = page.endsWith('.5')
      ? ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'SETTINGS', 'SECTIONS', 'EXAMPLES', 'SEE ALSO']
      : ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'EXAMPLES', 'SEE ALSO'];
    assert.deepEqual(sectionsOf(read(page)).filter((name) => expected.includes(name)), expected, page);
    assert.match(read(page), /^\.SH EXAMPLES\n\.nf\n./m, page);
  }
});

test('a page has every option that the help of its command has', () => {
  for (const command of commands) {
    const text = plain(read(pageOf(command)));
    const actions = help(command).match(/^What it can do\n((?: {2}.*\n)+)/m)?.[1];
    const words = actions ? [...actions.matchAll(/^ {2,6}([a-z]+) /gm)].map(([, action]) => [command, action]) : [[command]];
    for (const each of words) {
      const options = [...help(...each).matchAll(/^ {2}(?:-\w, | {4})--(\S+)/gm)].map(([, name]) => name).filter((name) => !name.startsWith('help'));
      assert.ok(options.length > 0 || actions, each.join(' '));
      assert.deepEqual(options.filter((name) => !text.includes(`--${name}`)), [], each.join(' '));
    }
  }
});

test('what a page points to is there', () => {
  for (const page of pages) {
    const named = [...plain(read(page)).matchAll(/\b(freshet[\w.-]*)\((\d)\)/g)].map(([, name, section]) => `${name}.${section}`);
    assert.ok(named.length > 0, page);
    assert.deepEqual(named.filter((name) => !pages.includes(name)), [], page);
  }
});

const lacks = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0 && `there is no ${program} here`;

test('man shows every page, without a warning', { skip: lacks('groff') }, () => {
  for (const page of pages) {
    const { status, stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-P-c', path.join(folder, page)], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, ''], page);
    assert.match(stdout, /FRESHET/, page);
  }
});

// Without a date: the same source has to give the same page. Long lines are what the program's texts are.
test('mandoc finds nothing wrong', { skip: lacks('mandoc') }, () => {
  for (const page of pages) {
    const { stdout } = spawnSync('mandoc', ['-Tlint', '-W', 'warning', path.join(folder, page)], { encoding: 'utf8' });
    assert.deepEqual(stdout.split('\n').filter((line) => line && !line.includes('missing date')), [], page);
  }
});
