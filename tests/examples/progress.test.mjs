// examples/progress: what the page shows is what the server has; reloading it and starting freshet anew end nothing.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import { exampleTest, eventually, openBrowser, startFreshet, startSite, untilState, untilText } from './harness.mjs';

// Text that takes brotli its time: hexadecimal digits at random.
const content = randomBytes(400_000).toString('hex');

const percent = (page, part) => page.textContent(`#${part} .percent`).then(parseFloat);

async function untilPercent(page, part, least) {
  await eventually(async () => (await percent(page, part)) >= least, async () => `${part} is at ${await percent(page, part)}`);
}

// Notes each percentage that a page shows, to be sure that none goes back.
async function watch(page) {
  await page.evaluate(() => {
    window.seen = { upload: [], pack: [] };
    for (const part of ['upload', 'pack']) {
      const shown = document.querySelector(`#${part} .percent`);
      new MutationObserver(() => window.seen[part].push(parseFloat(shown.textContent))).observe(shown, { childList: true });
    }
  });
}

async function assertForward(page) {
  for (const values of Object.values(await page.evaluate(() => window.seen))) {
    assert.deepEqual(values, [...values].sort((a, b) => a - b));
  }
}

exampleTest('progress: survives reloads and restarts, and the numbers are right', {}, async (t) => {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const site = await startSite(t, 'progress', ['node', 'server.mjs'], { address: freshet.url });
  const { open, context } = await openBrowser(t);
  const page = await open(site.url);
  const network = await context.newCDPSession(page);
  const throttle = (uploadThroughput) =>
    network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
  await network.send('Network.enable');
  await throttle(200_000);
  await page.setInputFiles('input', { name: 'digits.txt', mimeType: 'text/plain', buffer: Buffer.from(content) });
  await untilPercent(page, 'upload', 10);
  const reached = await percent(page, 'upload');
  await page.reload();
  await watch(page);
  await untilPercent(page, 'upload', reached);
  const other = await open(page.url());
  await watch(other);
  await untilPercent(other, 'upload', reached);
  assert.equal(await page.isVisible('.result'), false);
  await throttle(-1);
  await untilPercent(page, 'pack', 5);
  await freshet.restart();
  await Promise.all([untilState(page, 'done'), untilState(other, 'done')]);
  await untilText(page, '#upload .amount', '800.0 kB of 800.0 kB');
  await untilText(page, '#pack .percent', '100 %');
  await untilText(other, '#pack .left', 'complete');
  const sha256 = createHash('sha256').update(content).digest('hex');
  await untilText(other, '.result code', `sha256 of the original: ${sha256}`);
  const result = await (await fetch(new URL(await page.getAttribute('.result a', 'href'), site.url))).arrayBuffer();
  assert.equal(brotliDecompressSync(result).toString(), content);
  await assertForward(page);
  await assertForward(other);
  const late = await open(page.url());
  await untilState(late, 'done');
  await untilText(late, '#upload .percent', '100 %');
});
