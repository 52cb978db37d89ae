// The transport lab in a real browser: what it shows is what the server has; it breaks and resumes as it says; it works by
// keyboard, with tokens, and through a restart.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after } from 'node:test';
import {
  certificate, dataDirectory, folder, getJson, publish, rights, secret, serve, slow, tlsServer, token, until, untilSubscribers,
} from '../integration/harness/index.mjs';
import { hasConsole } from '../integration/harness/console.mjs';
import { browserTest, launchBrowser } from './chromium.mjs';

const labTest = (name, fn) => browserTest(name, fn, { skip: !hasConsole && 'built without the console' });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const settings = ['--retry', '200ms', '--history-count', '1000000', '--max-answer', '16m'];
const resuming = ['sse', 'ws', 'poll'];
const patience = 30_000 * slow;

let browser;
after(() => browser?.close());

// The page of the lab; `page.problems` are its errors, and requests to anybody else.
async function openLab(t, server, { width = 1280, topic = 'lab/test', ...options } = {}) {
  browser ??= await launchBrowser();
  const context = await browser.newContext({ viewport: { width, height: 900 }, ignoreHTTPSErrors: true, ...options });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && page.problems.push(message.text()));
  page.on('request', (request) => new URL(request.url()).host === new URL(server.url).host || page.problems.push(request.url()));
  await page.goto(`${server.url}/lab?topic=${topic}`);
  return page;
}

const button = (page, name) => page.getByRole('button', { name, exact: true });
const rate = (page, ms) => page.getByLabel('A message every').selectOption(String(ms));
const number = (text) => Number(text.replaceAll(',', ''));

// Everything that the page shows of a client: { state, received, lost, … } as text.
function lane(page, name) {
  return page.evaluate((wanted) => {
    const element = document.querySelector(`[data-lane="${wanted}"]`);
    const own = (selector) => [...element.querySelectorAll(selector)].filter((each) => each.closest('[data-lane]') === element);
    return {
      state: own('[data-state]')[0].textContent,
      reason: own('[data-reason]')[0].textContent,
      how: own('[data-how]')[0]?.textContent,
      messages: own('.messages li').length,
      ...Object.fromEntries(own('[data-figure]').map((each) => [each.dataset.figure, each.textContent])),
    };
  }, name);
}

const untilState = (page, names, state) => until(async () => {
  const lanes = await Promise.all(names.map((name) => lane(page, name)));
  return lanes.every((each) => each.state === state);
}, `${names} are ${state}`, patience);

const published = async (page) => number(await page.locator('#published').textContent());
const untilPublished = (page, count) => until(async () => (await published(page)) >= count, `${count} are published`, patience);

// Stops publishing; how many there were when all that was under way has been acknowledged.
async function pause(t, page, server) {
  await button(page, 'Pause').click();
  await until(async () => (await page.locator('#published').getAttribute('aria-busy')) === 'false', 'nothing is under way', patience);
  const count = await published(page);
  assert.equal((await stored(t, server)).length, count, 'the page counts what the server has');
  return count;
}

const stored = (t, server) => getJson(t, server, '/events/lab/test?last_event_id=earliest&limit=100000');

const untilReceived = (page, names, count) => until(async () => {
  const lanes = await Promise.all(names.map((name) => lane(page, name)));
  return lanes.every((each) => number(each.received) === count);
}, `${names} have received ${count}`, patience);

async function assertWhole(page, names) {
  for (const name of names) {
    const { lost, repeated } = await lane(page, name);
    assert.deepEqual([name, lost, repeated], [name, '0', '0']);
  }
}

// A table as a list of rows, each by the names of its columns.
async function table(page, name) {
  const found = page.getByRole('table', { name });
  await found.waitFor();
  const rows = await found.evaluate((element) => [...element.rows].map((row) => [...row.cells].map((cell) => cell.textContent)));
  return rows.slice(1).map((row) => Object.fromEntries(row.map((text, index) => [rows[0][index], text])));
}

async function copy(page) {
  await button(page, 'Copy as Markdown').click();
  return until(() => page.evaluate(() => navigator.clipboard.readText()), 'it is on the clipboard', patience);
}

async function assertAccessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' ')}`), []);
}

labTest('all three count what the server has, and the Markdown says what the page shows', async (t) => {
  const server = await serve(t, settings);
  const page = await openLab(t, server, { permissions: ['clipboard-read', 'clipboard-write'] });
  await assertAccessible(page);
  await rate(page, 20);
  await page.getByLabel('A status line every').selectOption('100');
  await button(page, 'Connect all').click();
  await untilState(page, [...resuming, 'ws-naive', 'poll-naive'], 'open');
  await untilPublished(page, 100);
  const count = await pause(t, page, server);
  await untilReceived(page, [...resuming, 'ws-naive'], count);
  await button(page, 'Disconnect all').click(); // a poll that ends would change its figures
  await untilState(page, [...resuming, 'ws-naive', 'poll-naive'], 'closed');
  await assertWhole(page, resuming);
  assert.ok((await stored(t, server)).some(({ event }) => event === 'status'), 'status lines are published too');
  for (const name of resuming) {
    const shown = await lane(page, name);
    assert.equal(shown.messages, 10);
    assert.equal(shown.reconnects, '0');
    for (const figure of ['connect', 'average', 'p99']) {
      assert.match(shown[figure], /^[\d.]+ m?s$/, `${name} ${figure}`);
    }
    assert.match(shown.bytes, /^[\d.]+ B$/, name);
  }
  const copied = await copy(page);
  const findings = await table(page, 'Transports');
  assert.equal(findings.length, 11);
  assert.equal(number(findings.find((row) => row[''] === 'Messages received')['Server-sent events']), count);
  for (const row of findings) {
    assert.ok(copied.includes(`| ${Object.values(row).join(' | ')} |`), `${Object.values(row)} is in:\n${copied}`);
  }
  assert.deepEqual(page.problems, []);
});

labTest('broken by the server: who resumes gets everything, who does not loses it', async (t) => {
  const server = await serve(t, settings);
  const page = await openLab(t, server, { colorScheme: 'dark', width: 390 });
  await rate(page, 20);
  await button(page, 'Connect all').click();
  await untilState(page, [...resuming, 'ws-naive', 'poll-naive'], 'open');
  await untilPublished(page, 20);
  await button(page, 'Break them all').click();
  const [sse, ws, poll, naiveWs, naivePoll] = await table(page, 'The last break');
  assert.deepEqual([sse['Broken by'], sse['Came back by']], ['the server', 'the browser, with its last id']);
  assert.deepEqual([ws['Broken by'], ws['Came back by']], ['the server', 'the page, with the last id']);
  assert.deepEqual([poll['Broken by'], poll['Came back by']], ['this page', 'the page, with the last id']);
  for (const row of [sse, ws, poll]) {
    assert.equal(row['Got of what was sent meanwhile'], '5 of 5', row.Client);
    assert.deepEqual([row['Lost in all'], row.Repeated, row['Gaps told']], ['0', '0', '0'], row.Client);
  }
  for (const row of [naiveWs, naivePoll]) {
    assert.equal(row['Got of what was sent meanwhile'], '0 of 5', row.Client);
    assert.ok(number(row['Lost in all']) >= 5, row.Client);
  }
  const count = await pause(t, page, server);
  await untilReceived(page, resuming, count);
  await assertWhole(page, resuming);
  const { reconnects, how } = await lane(page, 'sse');
  assert.equal(reconnects, '1');
  assert.match(how, /encodedBodySize/);
  assert.ok(number((await lane(page, 'ws-naive')).lost) >= 5);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the screen');
  await assertAccessible(page);
  assert.deepEqual(page.problems, []);
});

// Runs it on a page that listens and publishes; gives the rows, and checks that all is as it was before.
async function openTwelve(t, server) {
  const page = await openLab(t, server);
  await rate(page, 20);
  await button(page, 'Connect all').click();
  await untilState(page, resuming, 'open');
  await button(page, 'Open twelve streams').click();
  const rows = await table(page, /^Twelve streams over/);
  await untilState(page, [...resuming, 'ws-naive', 'poll-naive'], 'open');
  const count = await pause(t, page, server);
  await untilSubscribers(t, server, 5, patience);
  await untilReceived(page, resuming, count);
  await assertWhole(page, resuming);
  assert.deepEqual(page.problems, []);
  return { page, opened: rows.map((row) => `${row.Opened}, ${row['Topics heard']} topics`), next: rows[0]['One closed, next opened after'] };
}

labTest('twelve streams over HTTP/1.1: six open, and all are closed again', async (t) => {
  const server = await serve(t, settings);
  const { page, opened, next } = await openTwelve(t, server);
  assert.deepEqual(opened, ['6 of 12, 6 topics', '1 of 1, 12 topics', '12 of 12, 12 topics']);
  assert.match(next, /^[\d.]+ m?s$/, 'one of those that wait opens when there is room');
  assert.equal(await page.locator('#dots-sources').getAttribute('aria-label'), '6 of 12 are open');
});

labTest('twelve streams over HTTP/2: all open', async (t) => {
  const server = await serve(t, ...tlsServer(certificate(folder(t), 'server'), ...settings));
  const { page, opened, next } = await openTwelve(t, server);
  assert.deepEqual(opened, ['12 of 12, 12 topics', '1 of 1, 12 topics', '12 of 12, 12 topics']);
  assert.equal(next, '–');
  assert.equal(await page.locator('#protocol').textContent(), 'HTTP/2');
});

labTest('the server is restarted: nothing is lost, nothing repeated', async (t) => {
  const args = ['--data', dataDirectory(t), ...settings];
  const first = await serve(t, args);
  const page = await openLab(t, first);
  await rate(page, 20);
  await button(page, 'Connect all').click();
  await untilState(page, resuming, 'open');
  await untilPublished(page, 50);
  first.kill('SIGTERM');
  assert.equal(await first.ending(patience), 0);
  await until(async () => (await lane(page, 'ws')).state === 'error', 'the page has noticed', patience);
  const before = await published(page);
  const second = await serve(t, args, { listen: `127.0.0.1:${first.port}` });
  await untilState(page, resuming, 'open');
  await untilPublished(page, before + 50);
  const count = await pause(t, page, second);
  await untilReceived(page, resuming, count);
  await assertWhole(page, resuming);
  for (const name of resuming) {
    assert.notEqual((await lane(page, name)).reconnects, '0', name);
  }
});

// Presses Tab until it is there, as somebody without a mouse would.
async function tabTo(page, id) {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.id) === id) {
      return;
    }
  }
  assert.fail(`Tab does not lead to ${id}`);
}

labTest('by keyboard alone: connect, raise the rate, break, pause', async (t) => {
  const server = await serve(t, settings);
  const page = await openLab(t, server);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  await tabTo(page, 'connect-all');
  await page.keyboard.press('Enter');
  await tabTo(page, 'message-rate');
  await page.keyboard.press('Home');
  assert.equal(await page.locator('#message-rate').inputValue(), '10');
  await untilState(page, resuming, 'open');
  await untilPublished(page, 10);
  await tabTo(page, 'break');
  await page.keyboard.press('Space');
  await table(page, 'The last break');
  await until(() => page.evaluate(() => document.activeElement.id === 'break'), 'the focus is where it was', patience);
  await tabTo(page, 'publish');
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#publish').textContent(), 'Publish');
  assert.deepEqual(page.problems, []);
});

labTest('what others publish to the topic does no harm, and is counted by its own numbers', async (t) => {
  const server = await serve(t, settings);
  const page = await openLab(t, server);
  await page.getByRole('button', { name: 'Connect Server-sent events' }).click();
  await untilState(page, ['sse'], 'open');
  const own = await pause(t, page, server);
  const foreign = (seq) => JSON.stringify({ from: 'other', seq, sentAt: 0, kind: '<b>x</b>', text: '' });
  for (const data of ['no JSON', '{"from":1}', '[]', 'null', foreign(7), foreign(9), foreign(9)]) {
    await publish(t, server, 'lab/test', data);
  }
  await until(async () => (await lane(page, 'sse')).repeated === '1', 'all have come', patience);
  const { received, lost } = await lane(page, 'sse');
  assert.deepEqual([received, lost], [String(own + 3), '1'], 'what is none of the lab is not counted');
  assert.match(await page.locator('[data-lane="sse"] .messages').textContent(), /<b>x<\/b> 9 of other/);
  assert.deepEqual(page.problems, []);
});

labTest('with access control: without a token the reason is shown, with one tickets are used', async (t) => {
  const file = path.join(folder(t), 'secret');
  writeFileSync(file, secret, { mode: 0o600 });
  const server = await serve(t, [...settings, '--jwt-secret-file', file]);
  const page = await openLab(t, server);
  await button(page, 'Connect all').click();
  for (const name of resuming) {
    const isRefused = ({ state, reason }) => state === 'error' && /^401: [^;]+$/.test(reason);
    await until(async () => isRefused(await lane(page, name)), `${name} says why it was refused`, patience);
  }
  await until(async () => /^401: /.test(await page.locator('#publish-problem').textContent()), 'publishing was refused too', patience);
  await page.getByLabel('Token').fill(token(rights(['lab/*'], ['lab/*'])));
  await rate(page, 20);
  await button(page, 'Connect all').click();
  await untilState(page, resuming, 'open');
  await untilPublished(page, 20);
  await button(page, 'Break them all').click();
  const rows = await table(page, 'The last break');
  assert.deepEqual(rows.map((row) => row['Broken by']), Array(5).fill('this page'), 'closing connections takes an administrator');
  await button(page, 'Pause').click();
  await assertWhole(page, resuming);
  assert.deepEqual(rows.slice(0, 3).map((row) => row['Got of what was sent meanwhile']), Array(3).fill('5 of 5'));
});
