// examples/dashboard: what a chart shows is what its probe has published, each sample once, over a restart.

import assert from 'node:assert/strict';
import { eventually, exampleTest, openBrowser, startFreshet, startProgram, startSite, untilState } from './harness.mjs';

// What the page shows of a host: the number of its newest sample, its figures, how many samples its chart has.
const shown = (page, host) => page.evaluate((name) => {
  const section = document.querySelector(`[data-host="${name}"]`);
  const of = (measure, selector) => section.querySelector(`[data-measure=${measure}] ${selector}`);
  return section && {
    n: Number(section.dataset.n),
    cpu: of('cpu', 'output').textContent,
    memory: of('memory', 'output').textContent,
    load: of('load', 'output').textContent,
    points: of('cpu', 'polyline').points.length,
  };
}, host);

async function untilSample(page, host, least) {
  return eventually(async () => {
    const seen = await shown(page, host);
    return seen?.n >= least && seen;
  }, async () => JSON.stringify(await shown(page, host)));
}

async function published(freshet, host) {
  const answer = await fetch(`${freshet.url}/events/dashboard/${host}?last_event_id=earliest&limit=10000`, { headers: { accept: 'application/json' } });
  return (await answer.json()).map(({ data }) => JSON.parse(data));
}

async function assertRight(page, freshet, host) {
  const { points, ...seen } = await shown(page, host);
  const samples = await published(freshet, host);
  assert.deepEqual(samples.map(({ n }) => n), samples.map((_, i) => i + 1));
  const { cpu, memory, load } = samples[seen.n - 1];
  assert.deepEqual(seen, { n: seen.n, cpu: `${cpu.toFixed(1)} %`, memory: `${memory.toFixed(1)} %`, load: load.toFixed(2) });
  return { points, full: Math.min(seen.n, 120) };
}

exampleTest('dashboard: each sample once, over a restart, and for who comes late', {}, async (t) => {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const env = { PERIOD: '50' };
  const site = await startSite(t, 'dashboard', ['node', 'server.mjs'], { address: freshet.url, env });
  const probe = startProgram(t, 'dashboard', ['node', 'probe.mjs', 'web-2'], { env: { ...env, FRESHET_URL: freshet.url } });
  const { open } = await openBrowser(t);
  const page = await open(site.url);
  const { n } = await untilSample(page, 'web-2', 5);
  await assertRight(page, freshet, 'here');
  await freshet.restart();
  await untilState(page, 'open');
  await untilSample(page, 'web-2', n + 10);
  await untilSample(page, 'here', n + 10);
  await probe.stop();
  const samples = await published(freshet, 'web-2');
  const late = await open(site.url);
  for (const each of [page, late]) {
    await untilSample(each, 'web-2', samples.length);
    await assertRight(each, freshet, 'web-2');
    const { points, full } = await assertRight(each, freshet, 'here');
    assert.equal(points, full);
  }
  const { points, full } = await assertRight(page, freshet, 'web-2');
  assert.equal(points, full);
});
