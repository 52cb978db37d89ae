// Runs every command of the documentation, a page after the other, each page with a fresh server and directory, and
// compares what is printed with what the page shows. Remarks in front of a block, which readers of Markdown do not see:
//
//   <!-- not run: REASON -->        it cannot run here; the reason is counted and printed
//   <!-- needs: PROGRAM -->         it is passed over where there is no such program
//   <!-- file: NAME -->             it is no command, but a file that later commands use
//   <!-- first: COMMAND -->         run before the block: what the page takes for granted
//   <!-- keeps running -->          its last command listens until the page ends
//   <!-- status: N -->              its last command ends so
//   <!-- refused -->                its last command is answered with a problem, which is what the page is about

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { test, until } from '../integration/harness/env.mjs';
import { Examples } from './expected.mjs';
import { blocksOf, hiddenCommandsOf, pages, remarked, tableCommandsOf } from './markdown.mjs';
import { Shell } from './shell.mjs';
import { kindOf, statementsOf } from './statements.mjs';

const isCommands = (block) => ['sh', 'bash', 'console'].includes(block.language);
const tally = { ran: 0, shown: 0, notRun: [], lacking: new Map() };
const programs = new Map();

function isThere(program) {
  if (!programs.has(program)) {
    programs.set(program, spawnSync('sh', ['-c', `command -v ${program}`]).status === 0);
  }
  return programs.get(program);
}

// The first program that a block needs and that is not here.
const lackingOf = (block) => remarked(block, 'needs')?.split(/,\s*/).find((program) => !isThere(program));

class Page {
  constructor(name) {
    this.name = name;
    this.shell = new Shell(name);
    this.examples = new Examples();
    this.listeners = [];
  }

  async statement({ line, text, shown }, block, last) {
    const command = this.examples.resolve(text);
    const kind = last && remarked(block, 'keeps running') !== undefined ? 'listener' : kindOf(command);
    const where = `${this.name}:${line}: ${text}`;
    tally.ran++;
    tally.shown += shown?.length > 0;
    if (kind === 'server') {
      await this.shell.serve(command);
      return shown?.length && this.#expect(where, shown, () => this.shell.server.stdout());
    }
    if (kind === 'listener') {
      this.listeners.push({ where, shown, child: await this.shell.listen(command) });
      return undefined;
    }
    const result = await this.shell.run(command);
    const status = last ? Number(remarked(block, 'status') ?? 0) : 0;
    const printed = result.stdout || result.stderr;
    assert.equal(result.status, status, `${where}\nended with ${result.status}:\n${result.stdout}${result.stderr}`);
    const refused = last && remarked(block, 'refused') !== undefined;
    assert.equal(/"status":\s*[45]\d\d/.test(result.stdout), refused, `${where}\nwas answered:\n${result.stdout}`);
    if (shown?.length) {
      assert.ok(this.examples.matches(shown, printed), `${where}\nprinted:\n${printed}\nand the page shows:\n${shown.join('\n')}`);
    }
    return undefined;
  }

  // A listener prints when it does.
  async #expect(where, shown, printed) {
    try {
      await until(() => this.examples.matches(shown, printed(), { more: true }), 'the output is that of the page');
    } catch {
      assert.fail(`${where}\nprinted:\n${printed()}\nand the page shows:\n${shown.join('\n')}`);
    }
  }

  async block(block) {
    const statements = statementsOf(block);
    const lacking = lackingOf(block);
    const file = remarked(block, 'file');
    if (remarked(block, 'not run') !== undefined) {
      tally.notRun.push(`${this.name}:${block.line}: ${remarked(block, 'not run')}`);
      return;
    }
    if (lacking) {
      tally.lacking.set(lacking, (tally.lacking.get(lacking) ?? 0) + 1);
      return;
    }
    if (!statements.some(({ text }) => kindOf(text) === 'server')) {
      await this.shell.supposeServer();
    }
    if (file) {
      const target = path.join(this.shell.work, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, this.shell.placeFile(block.text));
    } else {
      for (const first of block.remarks.filter((text) => text.startsWith('first: '))) {
        await this.statement({ line: block.line, text: first.slice('first: '.length) }, { remarks: [] }, true);
        tally.ran--;
      }
      for (const [at, statement] of statements.entries()) {
        await this.statement(statement, block, at === statements.length - 1);
      }
    }
  }

  // In the end: every listener has printed what the page shows, and none was refused.
  async listened() {
    for (const { where, shown, child } of this.listeners) {
      if (shown?.length) {
        await this.#expect(where, shown, child.stdout);
      }
      assert.doesNotMatch(child.stdout(), /"status":[45]\d\d/, where);
      assert.ok(!child.gone() || child.stdout(), `${where}\nended:\n${child.stderr()}`);
    }
  }

  async close() {
    await this.shell.close();
  }
}

// In the order of the page: its blocks, and the commands of its tables.
function partsOf(name) {
  const isPart = (block) => isCommands(block) || remarked(block, 'file');
  const tables = name.startsWith('README') || name === 'docs/README.md' ? tableCommandsOf(name) : [];
  return [...blocksOf(name).filter(isPart), ...tables].sort((a, b) => a.line - b.line);
}

// Why a command of a table cannot run; undefined when it can.
function hindranceOf(text) {
  if (/…|\b(FILE|DIR|URL|TOKEN)\b|^some-|^tail -f/.test(text)) {
    return 'a form, to be filled in';
  }
  return /freshet doctor/.test(text) ? 'what it finds depends on the machine and on the network' : undefined;
}

for (const name of pages.filter((page) => partsOf(page).length > 0)) {
  test(`the commands of ${name}`, { timeout: 240_000 }, async () => {
    const page = new Page(name);
    let failure;
    try {
      for (const part of partsOf(name)) {
        if (part.lines) {
          await page.block(part);
        } else if (hindranceOf(part.text)) {
          tally.notRun.push(`${name}:${part.line}: ${hindranceOf(part.text)}`);
        } else {
          await page.statement(part, { remarks: [] }, true);
        }
      }
      await page.listened();
    } catch (error) {
      failure = error;
    }
    // What went wrong first says more than what came of it.
    await page.close().catch((error) => { failure ??= error; });
    if (failure) {
      throw failure;
    }
  });
}

test('no command hides where nothing would run it', () => {
  assert.deepEqual(pages.flatMap((page) => hiddenCommandsOf(page)), []);
});

test('what is not run says why', () => {
  const silent = pages.flatMap((page) => blocksOf(page)).filter((block) => remarked(block, 'not run') === '');
  assert.deepEqual(silent.map((block) => `${block.page}:${block.line}`), []);
});

after(() => {
  console.log(`docs: ${tally.ran} commands ran, ${tally.shown} of them with the output that the page shows`);
  console.log(`docs: ${tally.notRun.length} were not run:\n${tally.notRun.map((line) => `        ${line}`).join('\n')}`);
  for (const [program, count] of tally.lacking) {
    console.log(`docs: ${count} blocks were passed over: there is no ${program} here`);
  }
});
