// examples/prices: each page shows the price that the market has of each symbol, whenever it was opened.

import assert from 'node:assert/strict';
import { eventually, exampleTest, openBrowser, startFreshet, startSite, untilState, untilText } from './harness.mjs';

const shown = (page) => page.$$eval('li', (items) => Object.fromEntries(items.map((item) => [item.dataset.symbol, Number(item.lastChild.textContent)])));

const changes = async (page) => Number(await page.textContent('.changes'));

async function untilRight(page, site) {
  const right = await (await fetch(`${site.url}/prices.json`)).json();
  assert.equal(Object.keys(right).length, 1000);
  const wrong = async () => {
    const seen = await shown(page);
    return Object.keys(right).filter((symbol) => seen[symbol] !== right[symbol]);
  };
  await eventually(async () => (await wrong()).length === 0, wrong);
}

exampleTest('prices: all thousand are right, for who comes late, and after a restart', {}, async (t) => {
  const freshet = await startFreshet(t, ['--history-count', '20000', '--cors-origin', '*']);
  const site = await startSite(t, 'prices', ['node', 'server.mjs'], { address: freshet.url });
  const { open } = await openBrowser(t);
  const page = await open(site.url);
  await untilText(page, '.symbols', '1000');
  const some = await changes(page);
  await eventually(async () => (await changes(page)) > some + 200, () => changes(page));
  await page.click('.pause');
  await untilText(page, '.pause', 'Let the market go on');
  await untilRight(page, site);

  // Nothing is published now: what the second page shows was said before it came.
  const late = await open(site.url);
  await untilRight(late, site);
  assert.match(await late.textContent('.snapshot'), /^\d+ ms$/);
  assert.equal(await changes(late), 1000);

  await page.click('.pause');
  await freshet.restart();
  const before = await changes(late);
  await eventually(async () => (await changes(late)) > before, () => changes(late));
  await page.click('.pause');
  await Promise.all([untilRight(page, site), untilRight(late, site)]);
  await untilState(late, 'open');
});
