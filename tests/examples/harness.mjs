// What the tests of the examples share: a freshet that can go away and come back at the same address, the program of an
// example started as its README says, and a page whose errors fail the test.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { browserTest, launchBrowser } from '../browser/chromium.mjs';
import { openProxy } from '../browser/proxy.mjs';
import { patience, root, serve, test, until, within } from '../integration/harness/index.mjs';

// Like test(), but what was started ends in the opposite order, and all of it, even when one end fails. `needs` are reasons
// to skip it, or false; `browser: false` for a test that has none.
export function exampleTest(name, { needs = [], browser = true } = {}, fn) {
  const kind = browser ? browserTest : test;
  return kind(name, async (t) => {
    const missing = needs.find(Boolean);
    return missing ? t.skip(missing) : withEnds(fn);
  });
}

async function withEnds(fn) {
  const ends = [];
  const failures = [];
  const attempt = async (act, argument) => {
    try {
      await act(argument);
    } catch (error) {
      failures.push(error);
    }
  };
  await attempt(fn, { after: (end) => ends.push(end) });
  for (const end of ends.reverse()) {
    await attempt(end);
  }
  if (failures.length > 0) {
    throw failures[0];
  }
}

export function directory(t) {
  const name = mkdtempSync(path.join(tmpdir(), 'freshet-example-'));
  t.after(() => rmSync(name, { recursive: true, force: true }));
  return name;
}

// A freshet with a history on disk, behind a proxy that keeps its address when the server is started anew.
export async function startFreshet(t, args = []) {
  const settings = (more) => ['--data', data, '--retry', '100ms', ...more];
  const data = directory(t);
  let server = await serve(t, settings(args));
  const proxy = await openProxy(t, server.port);
  return {
    url: `http://127.0.0.1:${proxy.port}`,
    get server() {
      return server;
    },
    // Stops it and starts another on the same history. `meanwhile` is called with that one's own address when nobody else
    // can reach it yet: what is published there is what listeners have missed.
    async restart(meanwhile = () => {}, more = args) {
      await proxy.cut();
      await server.stop();
      server = await serve(t, settings(more));
      await meanwhile(server.url);
      proxy.target = server.port;
      await proxy.open();
    },
  };
}

// Why an example cannot be run here, or false.
export function without(command, ...args) {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return false;
  } catch {
    console.error(`skipped, NO ${command}: tools/deps examples installs it`);
    return `NO ${command}: tools/deps examples installs it`;
  }
}

// What a program may not print: its test fails then, whatever else it did.
const complaint = /error|warning|notice:|fatal|traceback|panic|deprecated|exception/i;

// Starts a program in examples/FOLDER, in a group of its own, which is ended after the test. `quiet`: nothing that it
// prints may look like a complaint.
export function startProgram(t, folder, [command, ...args], { env = {}, quiet = true } = {}) {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FRESHET_')));
  const child = spawn(command, args, {
    cwd: path.join(root, 'examples', folder), env: { ...clean, ...env }, detached: true, stdio: ['pipe', 'pipe', 'pipe'],
  });
  const program = { child, printed: '', complaints: '', status: undefined };
  child.stdin.on('error', () => {});
  const take = (text) => {
    program.printed += text;
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve((program.status = error.code)));
    child.on('close', (code, signal) => resolve((program.status = signal ?? code)));
  });
  program.ended = () => within(ended, `${command} ${args.join(' ')} to end; it printed:\n${program.printed}`);
  program.stop = async (signal = 'SIGTERM') => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended by itself.
    }
    await program.ended();
  };
  t.after(async () => {
    await program.stop('SIGKILL');
    assert.ok(!quiet || !complaint.test(program.printed), `${folder} complained:\n${program.printed}`);
  });
  return program;
}

// Starts a program that serves a page, at a free port; returns it with its `url`.
export async function startSite(t, folder, command, { address, env, ...options }) {
  const program = startProgram(t, folder, command, { ...options, env: { PORT: '0', FRESHET_URL: address, ...env } });
  const announced = () => {
    assert.equal(program.status, undefined, `${command.join(' ')} ended:\n${program.printed}`);
    return program.printed.match(/http:\/\/127\.0\.0\.1:\d+/);
  };
  [program.url] = await until(announced, `${command.join(' ')} prints where it listens`, 6 * patience);
  return program;
}

// What a browser says of a server that is away. Everything else that it logs as an error fails the test.
const away = /net::ERR_|ERR_INCOMPLETE/;

// A browser for a test, with a function that opens a page of it; `context` is for cookies and tabs.
export async function openBrowser(t) {
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const context = await browser.newContext({ reducedMotion: 'reduce' });
  const errors = [];
  t.after(() => assert.deepEqual(errors, [], 'the pages logged errors'));
  const open = async (url) => {
    const page = await context.newPage();
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !away.test(message.text())) {
        errors.push(message.text());
      }
    });
    await page.goto(url);
    return page;
  };
  return { browser, context, open };
}

// Asks until `check` gives something true; a failure tells what `seen` sees at last.
export async function eventually(check, seen) {
  try {
    return await until(check, 'it is so', 3 * patience);
  } catch (error) {
    throw new Error(`${error.message}; at last: ${await seen()}`);
  }
}

// Waits until what a selector shows is the given text.
export async function untilText(page, selector, text) {
  const shown = async () => (await page.textContent(selector)).trim();
  await eventually(async () => (await shown()) === text, async () => `${selector} shows ${await shown()}, not ${text}`);
}

export async function untilState(page, state, selector = '[data-state]') {
  const shown = () => page.getAttribute(selector, 'data-state');
  await eventually(async () => (await shown()) === state, async () => `${selector} is ${await shown()}, not ${state}`);
}
