// The console in a real browser: it shows what the server has, goes on after a restart without loss or repetition, stays
// small whatever there is, can be used by keyboard and by screen readers, and asks nobody else for anything.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after } from 'node:test';
import {
  folder, postJson, publish, serve, slow, subscribe, token, secret, until,
} from '../integration/harness/index.mjs';
import { hasConsole } from '../integration/harness/console.mjs';
import { browserTest, launchBrowser } from './chromium.mjs';
import { openProxy } from './proxy.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const deadline = 20_000 * slow;

// One browser for all, a context of its own for each page.
let browser;
after(() => browser?.close());

const consoleTest = (name, fn) => browserTest(name, fn, { skip: !hasConsole && 'built without the console' });

// Opens a view of the console; what the page complains about, and whom it asks, is kept.
async function open(t, url, path = '', { dark = false, width = 1280, height = 800 } = {}) {
  browser ??= await launchBrowser();
  const context = await browser.newContext({ colorScheme: dark ? 'dark' : 'light', viewport: { width, height } });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(deadline);
  page.complaints = [];
  page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) {
      page.complaints.push(`asked ${request.url()}`);
    }
  });
  await page.goto(`${url}/${path}`);
  return page;
}

const tile = (page, name) => page.getByRole('region', { name, exact: true });
const settled = (page) => page.locator('#state', { hasText: 'Live' }).waitFor();
const shownIds = (page) => page.locator('.event .id').allTextContents();

const batch = (t, server, count, make) =>
  postJson(t, server, Array.from({ length: count }, (_, i) => make(i))).then((response) => {
    assert.equal(response.status, 200, response.body);
    return response.json().map(({ id }) => id);
  });

async function checkAccessible(page, what) {
  const { violations } = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] })`);
  const said = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join('\n')}`);
  assert.deepEqual(said, [], what);
}

consoleTest('the overview shows the figures of the server, and complains about nothing', async (t) => {
  const server = await serve(t);
  const page = await open(t, server.url);
  await page.getByRole('heading', { name: 'Nothing was published yet' }).waitFor();
  await subscribe(t, server, '/events/a');
  await subscribe(t, server, '/events/a');
  await batch(t, server, 250, () => ({ topic: 'a', data: 'x' }));
  await tile(page, 'Events in').getByText('250 in all').waitFor();
  await tile(page, 'Deliveries out').getByText('500 in all').waitFor();
  await tile(page, 'Listeners').getByText('3', { exact: true }).waitFor(); // the console is one
  await page.getByRole('heading', { name: 'Nothing was published yet' }).waitFor({ state: 'hidden' });
  // Of the last second only, so something has to be delivered in it.
  const within = tile(page, 'Publish to send').getByText(/99 % within [\d.]+ (ms|s)/);
  await until(async () => {
    await publish(t, server, 'a', 'x');
    return within.isVisible();
  }, 'the time from publishing to sending is told', deadline);
  const label = await tile(page, 'Memory').getByRole('img').getAttribute('aria-label');
  assert.match(label, /^Memory: now [\d.]+ MiB$/);
  for (const path of ['#/topics', '#/topics/a', '#/connections', '#/']) {
    await page.goto(`${server.url}/${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
  }
  assert.deepEqual(page.complaints, []);
});

consoleTest('ten thousand topics are a page of fifty, and found by any part of their names', async (t) => {
  const server = await serve(t);
  for (let from = 0; from < 10_000; from += 5_000) {
    await batch(t, server, 5_000, (i) => ({ topic: `room/${String(from + i).padStart(5, '0')}/Chat`, data: 'x' }));
  }
  const page = await open(t, server.url, '#/topics');
  const rows = page.locator('tbody tr');
  const first = () => rows.first().locator('th').innerText();
  await rows.nth(49).waitFor();
  assert.equal(await rows.count(), 50);
  assert.ok((await page.locator('*').count()) < 1_000);
  await page.getByRole('button', { name: 'Next' }).click();
  await until(async () => (await first()) === 'room/00050/Chat', 'the second page is shown', deadline);
  await page.getByRole('button', { name: 'Previous' }).click();
  await until(async () => (await first()) === 'room/00000/Chat', 'the first page is shown', deadline);
  await page.getByRole('searchbox').fill('9876/chat');
  await until(async () => (await rows.count()) === 1, 'one topic is found', deadline);
  assert.match(await rows.first().innerText(), /^room\/09876\/Chat\s+0\s+.*\s1\s+\d+ B\s/s);
  await page.getByRole('searchbox').fill('nowhere');
  await page.getByRole('link', { name: 'Open a topic of this name' }).waitFor();
  assert.deepEqual(page.complaints, []);
});

consoleTest('a watched topic loses and repeats nothing when the server is started anew', async (t) => {
  const args = ['--data', folder(t), '--retry', '100ms'];
  const one = await serve(t, args);
  const proxy = await openProxy(t, one.port);
  const ids = await batch(t, one, 30, (i) => ({ topic: 'a', data: `before ${i}` }));
  const page = await open(t, `http://127.0.0.1:${proxy.port}`, '#/topics/a');
  await until(async () => (await shownIds(page)).length === 20, 'the last 20 are shown', deadline);
  ids.push(await publish(t, one, 'a', 'the last of the first'));
  await until(async () => (await shownIds(page)).includes(ids.at(-1)), 'it is live', deadline);
  await one.stop();
  await page.getByText('Reconnecting').first().waitFor();
  const two = await serve(t, args);
  ids.push(...await batch(t, two, 40, (i) => ({ topic: 'a', data: `meanwhile ${i}` })));
  proxy.target = two.port;
  await until(async () => (await shownIds(page)).includes(ids.at(-1)), 'it has caught up', deadline);
  ids.push(await publish(t, two, 'a', 'live again'));
  await until(async () => (await shownIds(page)).includes(ids.at(-1)), 'it is live again', deadline);
  assert.deepEqual((await shownIds(page)).reverse(), ids.slice(10));
  await settled(page);
});

consoleTest('what is too much to read is counted whole and shown as a sample', async (t) => {
  // History has them all for a page, or a worker's inbox, that a busy machine keeps waiting.
  const server = await serve(t, ['--history-count', '20000']);
  const page = await open(t, server.url, '#/topics/flood');
  await page.getByText('Watching', { exact: true }).waitFor();
  for (let from = 0; from < 20_000; from += 5_000) {
    await batch(t, server, 5_000, (i) => ({ topic: 'flood', data: String(from + i) }));
  }
  await page.getByText('20,000 heard').waitFor();
  await page.getByText('what is shown is a sample').waitFor();
  await until(async () => (await page.locator('.event').first().textContent()).endsWith('19999'), 'the last one is shown', deadline);
  const rows = await page.locator('.event').count();
  assert.ok(rows >= 500 && rows <= 1000, `${rows} rows`);
  assert.deepEqual(page.complaints, []);
});

consoleTest('a topic is published to from the form, and the command does the same', async (t) => {
  const server = await serve(t);
  const page = await open(t, server.url, `#/topics/${encodeURIComponent('a b/ü')}`);
  await page.getByText('Watching', { exact: true }).waitFor();
  await page.getByLabel('Data').fill("it's <b>1</b>");
  await page.getByLabel('Type').fill('note');
  assert.equal(await page.getByLabel('The command').innerText(),
    `curl --data-raw 'it'\\''s <b>1</b>' \\\n  '${server.url}/events/a%20b/%C3%BC?event=note'`);
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByText(/^published as \d+-\d+$/).waitFor();
  await page.locator('.event', { hasText: "it's <b>1</b>" }).waitFor();
  await page.locator('.event .chip', { hasText: 'note' }).waitFor();
  assert.deepEqual(page.complaints, []);
});

consoleTest('a connection is closed, by keyboard alone', async (t) => {
  const server = await serve(t);
  const listener = await subscribe(t, server, '/events/lonely');
  const page = await open(t, server.url);
  await settled(page);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  const tabTo = async (name) => {
    for (let i = 0; i < 60; i++) {
      if (await page.evaluate((label) => (document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).startsWith(label), name)) {
        return;
      }
      await page.keyboard.press('Tab');
    }
    assert.fail(`no way to ${name}`);
  };
  await tabTo('Connections');
  await page.keyboard.press('Enter');
  await page.locator('tbody tr', { hasText: 'lonely' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  const row = page.locator('tbody tr', { hasText: 'lonely' });
  const label = await row.getByRole('button').getAttribute('aria-label');
  await tabTo(label);
  await page.keyboard.press('Enter');
  await row.getByRole('button', { name: 'Really close' }).waitFor();
  await page.keyboard.press('Enter');
  await listener.finish();
  await row.waitFor({ state: 'detached' });
  assert.deepEqual(page.complaints, []);
});

consoleTest('where there is access control, the console asks for a token and keeps it for the tab', async (t) => {
  const server = await serve(t, ['--jwt-secret', secret]);
  const page = await open(t, server.url);
  const field = page.getByLabel('Token', { exact: true });
  await field.fill('nonsense');
  await field.press('Enter');
  await page.locator('#state', { hasText: 'Not allowed' }).waitFor();
  await page.getByRole('button', { name: 'Token' }).click();
  await field.fill(token({ freshet: { subscribe: ['**'], publish: ['**'], admin: true } }));
  await field.press('Enter');
  await settled(page);
  await page.reload();
  await settled(page);
  await page.goto(`${server.url}/#/topics/a`);
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.locator('.event', { hasText: 'hello' }).waitFor();
  assert.match(await page.getByLabel('The command').innerText(), /^curl -H "Authorization: Bearer \$TOKEN"/);
  assert.ok(page.complaints.every((text) => /status of 40[13]/.test(text)), page.complaints.join('\n'));
});

consoleTest('axe finds nothing to complain about, in light and dark, and a phone need not scroll sideways', async (t) => {
  const server = await serve(t);
  await batch(t, server, 60, (i) => ({ topic: `t${i}`, data: i % 2 ? 'x' : `{\n "long": "${'y'.repeat(400)}"\n}` }));
  await subscribe(t, server, '/events?topic=t0&topic=room/*');
  for (const dark of [false, true]) {
    const page = await open(t, server.url, '', { dark, width: dark ? 390 : 1280 });
    for (const [path, ready] of [['#/', '.value:has-text("MiB")'], ['#/topics', 'tbody tr'], ['#/topics/t0', '.event'], ['#/connections', 'tbody tr']]) {
      await page.goto(`${server.url}/${path}`);
      await page.locator(ready).first().waitFor();
      await settled(page);
      await checkAccessible(page, `${path} ${dark ? 'dark' : 'light'}`);
      const { wide, room } = await page.evaluate(() => ({ wide: document.scrollingElement.scrollWidth, room: innerWidth }));
      assert.ok(wide <= room, `${path}: ${wide} in ${room}`);
    }
    await page.getByRole('button', { name: dark ? 'Use light colours' : 'Use dark colours' }).click();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), dark ? 'light' : 'dark');
    assert.deepEqual(page.complaints, []);
  }
});
