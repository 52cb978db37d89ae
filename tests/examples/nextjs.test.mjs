// examples/nextjs: built as its README says, and driven in a browser. FRESHET_NEXTJS=1 asks for it, because it installs
// Next.js from its lock (350 MB) and builds for half a minute or more.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { patience, root, until } from '../integration/harness/index.mjs';
import { eventually, exampleTest, openBrowser, startFreshet, startSite, untilState, untilText } from './harness.mjs';

const missing = process.env.FRESHET_NEXTJS !== '1' && 'NO NEXT.JS: FRESHET_NEXTJS=1 installs it, builds the example and tests it';

if (missing) {
  console.error(`skipped, ${missing}`);
} else {
  const options = { cwd: path.join(root, 'examples/nextjs'), env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: undefined }, timeout: 900_000 };
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], options);
  execFileSync('npm', ['run', 'build'], options);
}

const [byFreshet, byHand] = ['main > section:nth-child(1)', 'main > section:nth-child(2)'];

// Type and text of what a panel shows, oldest first.
const shown = async (page, panel) =>
  (await page.$$eval(`${panel} li`, (items) => items.map((item) => `${item.firstChild.textContent}: ${item.childNodes[1].textContent}`))).reverse();

async function untilShown(page, panel, check) {
  return eventually(async () => {
    const items = await shown(page, panel);
    return check(items) && items;
  }, async () => String(await shown(page, panel)));
}

const exactly = (...texts) => (items) => items.join() === texts.map((text) => `message: ${text}`).join();

async function publish(page, text) {
  await page.fill('input', text);
  await page.press('input', 'Enter');
  await until(async () => (await page.inputValue('input')) === '', 'the form was taken', 3 * patience);
}

const command = ['npm', 'start', '--', '-H', '127.0.0.1'];

exampleTest('nextjs: what one page publishes all pages show, and a restart loses and repeats nothing', { needs: [missing] }, async (t) => {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const site = await startSite(t, 'nextjs', command, { address: freshet.url, env: { NEXT_TELEMETRY_DISABLED: '1' } });
  const { open } = await openBrowser(t);
  const [page, other] = [await open(site.url), await open(site.url)];
  await Promise.all([page, other].map((each) => untilState(each, 'open', `${byFreshet} .state`)));
  await publish(page, 'one <b>&amp;</b>');
  await Promise.all([page, other].map((each) => untilShown(each, byFreshet, exactly('one <b>&amp;</b>'))));
  let late;
  await freshet.restart(() => {
    late = publish(page, 'said while it is away');
  });
  await late;
  await Promise.all([page, other].map((each) => untilShown(each, byFreshet, exactly('one <b>&amp;</b>', 'said while it is away'))));
  await untilText(other, `${byFreshet} .count`, '2');
  assert.match(await other.textContent(`${byFreshet} .latency`), /^\d+\.\d ms$/);
  await eventually(async () => parseInt(await other.textContent(`${byFreshet} .connected`), 10) >= 1, () => other.textContent(byFreshet));

  const listeners = async () => (await (await fetch(`${freshet.url}/api/connections`)).json()).connections.length;
  await eventually(async () => (await listeners()) === 2, listeners);
  await other.click(`${byFreshet} button`);
  await eventually(async () => (await listeners()) === 1, listeners);
  assert.equal((await fetch(`${site.url}/api/publish`, { method: 'POST', body: '{}' })).status, 400);
});

exampleTest('nextjs: the stream by hand says what it should, when it should, and ends', { needs: [missing] }, async (t) => {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const env = { NEXT_TELEMETRY_DISABLED: '1', DIRECT_LIFETIME: '7' };
  const site = await startSite(t, 'nextjs', command, { address: freshet.url, env });
  const { open } = await openBrowser(t);
  const page = await open(site.url);
  const answer = await fetch(`${site.url}/api/direct`);
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const text = await answer.text(); // it ends by itself
  assert.doesNotMatch(text, /^id:/m);
  const types = [...text.matchAll(/^event: (.*)\ndata: .*"text":"([^"]*)"/gm)].map(([, type, said]) => `${type}: ${said}`);
  assert.equal(types[0], 'message: Connected.');
  assert.deepEqual(types.filter((item) => item.startsWith('message')).slice(1, 3), ['message: Message 1', 'message: Message 2']);
  assert.ok(types.some((item) => item.startsWith('status: 5 s, ')), types.join());
  // The page came back after the end, and begins anew.
  await untilShown(page, byHand, (items) => items.filter((item) => item === 'message: Connected.').length === 2);
});
