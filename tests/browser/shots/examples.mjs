// The pages of the examples, each with something on it.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startFreshet, startProgram, startSite, untilState, untilText } from '../../examples/harness.mjs';

const narrow = { width: 900, height: 640 };
const open = ['--cors-origin', '*'];
const site = (shot, folder, more) => startSite(shot, folder, ['node', 'server.mjs'], { address: shot.server.url, ...more });

// The text that a page shows becomes a number of at least so much.
const untilAtLeast = (page, selector, least) =>
  page.waitForFunction(([where, number]) => parseFloat(document.querySelector(where).textContent) >= number, [selector, least]);

async function drawMessages(shot) {
  const { page } = shot;
  const { url } = await site(shot, 'node');
  await page.goto(url);
  await untilState(page, 'open');
  for (const [count, text] of ['Good morning!', 'The river is rising.', 'Who closes the gate?', 'I do.'].entries()) {
    await page.fill('input', text);
    await page.press('input', 'Enter');
    await untilText(page, '.count', String(count + 1));
  }
}

async function drawProgress(shot) {
  const { page } = shot;
  const { url } = await site(shot, 'progress');
  await page.goto(url);
  const buffer = Buffer.from(randomBytes(1_500_000).toString('hex'));
  await page.setInputFiles('input', { name: 'measurements.csv', mimeType: 'text/csv', buffer });
  await untilAtLeast(page, '#pack .percent', 30);
}

async function drawNotifications(shot) {
  const folder = mkdtempSync(path.join(tmpdir(), 'freshet-shot-'));
  shot.after(() => rmSync(folder, { recursive: true }));
  const secret = path.join(folder, 'secret');
  writeFileSync(secret, randomBytes(36).toString('base64'), { mode: 0o600 });
  const { page } = shot;
  const freshet = await startFreshet(shot);
  const { url } = await site(shot, 'notifications', { address: freshet.url, env: { FRESHET_JWT_SECRET_FILE: secret } });
  await freshet.restart(undefined, ['--jwt-secret-file', secret, '--cors-origin', url]);
  await page.goto(url);
  await page.click('button[value=ann]');
  await untilState(page, 'open');
  for (const [count, text] of ['The build is green', 'Bob has left a comment', 'Your export is ready', 'The build is red'].entries()) {
    await page.fill('input', text);
    await page.click('form.notify button');
    await untilText(page, '.badge', String(count < 2 ? count + 1 : count - 1));
    if (count === 1) {
      await page.click('.read');
      await untilText(page, '.badge', '0');
    }
  }
}

async function drawPrices(shot) {
  const { page } = shot;
  const { url } = await site(shot, 'prices');
  await page.goto(url);
  await untilAtLeast(page, '.changes', 2500);
}

async function drawTokens(shot) {
  const { page } = shot;
  const { url } = await site(shot, 'model-tokens');
  await page.goto(url);
  await page.click('form button');
  await untilAtLeast(page, '.count', 60);
}

async function drawDashboard(shot) {
  const { page, server } = shot;
  const env = { PERIOD: '100' };
  const { url } = await site(shot, 'dashboard', { env: { ...env, NAME: 'web-1' } });
  startProgram(shot, 'dashboard', ['node', 'probe.mjs', 'web-2'], { env: { ...env, FRESHET_URL: server.url } });
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector('[data-host=web-2]')?.dataset.n > 110);
}

export const shots = [
  { name: 'example-messages', size: narrow, args: open, draw: drawMessages },
  { name: 'example-progress', size: narrow, args: open, draw: drawProgress },
  { name: 'example-notifications', size: narrow, args: open, draw: drawNotifications },
  { name: 'example-prices', size: { width: 1280, height: 800 }, dark: true, args: ['--history-count', '20000', ...open], draw: drawPrices },
  { name: 'example-model-tokens', size: narrow, dark: true, args: open, draw: drawTokens },
  { name: 'example-dashboard', size: { width: 1100, height: 640 }, args: open, draw: drawDashboard },
];
