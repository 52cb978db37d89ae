// A page moves its one EventSource from topic to topic while a thousand events a second flow, and after a break it has
// everything again.

import assert from 'node:assert/strict';
import { certificate, folder, publish, serve, slow, tlsServer, until } from '../integration/harness/index.mjs';
import { checkPhases, startFlow } from '../integration/harness/flow.mjs';
import { browserTest, openPage } from './chromium.mjs';
import { openProxy } from './proxy.mjs';

const settings = ['--cors-origin', '*', '--retry', '100ms', '--heartbeat', '1s', '--history-count', '100000'];

// What docs/http.md tells a page to do. `wanted` are the topics beside those of the URL.
function install(page, url, path) {
  return page.evaluate(([base, query]) => {
    window.heard = [];
    window.pages = [];
    window.phases = [];
    window.opened = 0;
    window.wanted = new Set();
    const post = async (body) => {
      const response = await fetch(`${base}/api/connections/${window.connection}/topics`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
      });
      if (!response.ok) {
        throw new Error(`${response.status} ${await response.text()}`);
      }
      return response.json();
    };
    window.change = async (body) => {
      let answer = await post(body);
      window.pages.push(...answer.events);
      while (answer.next !== null) {
        answer = await post({ ...body, after: answer.next });
        window.pages.push(...answer.events);
      }
      window.phases.push({ from: answer.from, topics: answer.topics });
      return answer;
    };
    return new Promise((resolve) => {
      window.source = new EventSource(base + query);
      window.source.addEventListener('message', (event) => window.heard.push({ id: event.lastEventId, data: event.data }));
      window.source.addEventListener('freshet.gap', () => window.heard.push({ gap: true }));
      window.source.addEventListener('freshet.connection', async (event) => {
        const { connection, cursor } = JSON.parse(event.data);
        window.connection = connection;
        if (window.wanted.size > 0) {
          await window.change({ add: [...window.wanted], after: cursor });
        } else {
          window.phases.push({ from: cursor, topics: new URL(base + query).searchParams.getAll('topic') });
        }
        window.opened++;
        resolve();
      });
    });
  }, [url, path]);
}

const heardOf = (page) => page.evaluate(() => window.heard);

async function play(t, server) {
  const page = await openPage(t);
  await install(page, server.url, '/events?topic=t/0&control=1');
  const flow = await startFlow(t, server);
  for (let i = 0; i < 40; i++) {
    const body = { add: [`t/${(i * 7) % 10}`], remove: [`t/${(i * 3) % 10}`] };
    await page.evaluate((value) => window.change(value), i % 5 === 4 ? { ...body, after: flow.recent(100) } : body);
  }
  const all = await flow.stop();
  await page.evaluate(() => window.change({ add: ['end'] }));
  await publish(t, server, 'end', 'the end');
  await until(async () => (await heardOf(page)).at(-1)?.data === 'the end', 'the page has heard the end', 30_000 * slow);
  const heard = (await heardOf(page)).slice(0, -1);
  checkPhases(await page.evaluate(() => window.phases), all, heard);
  assert.ok(heard.length > 50, `${heard.length} events`);
  assert.ok((await page.evaluate(() => window.pages.length)) > 0);
}

browserTest('an EventSource adds and drops topics under load, over HTTP/1.1', async (t) => {
  // A server that speaks to a browser without TLS speaks HTTP/1.1.
  await play(t, await serve(t, [...settings, '--workers', '2']));
});

browserTest('an EventSource adds and drops topics under load, over HTTP/2', async (t) => {
  await play(t, await serve(t, ...tlsServer(certificate(folder(t), 'server'), ...settings, '--workers', '2')));
});

browserTest('after a break the page adds again, and has everything', async (t) => {
  const server = await serve(t, settings);
  const proxy = await openProxy(t, server.port);
  const page = await openPage(t);
  await install(page, `http://127.0.0.1:${proxy.port}`, '/events?topic=t/0&control=1');
  await page.evaluate(() => {
    window.wanted.add('t/1');
    return window.change({ add: ['t/1'] });
  });
  const flow = await startFlow(t, server);
  for (let round = 2; round <= 4; round++) {
    const { length } = await heardOf(page);
    await until(async () => (await heardOf(page)).length > length + 20, 'the page hears');
    await proxy.cut();
    await proxy.open();
    await until(() => page.evaluate((n) => window.opened >= n, round), `the page is back for the ${round}th time`, 30_000 * slow);
  }
  const all = await flow.stop();
  const last = all.filter(({ topic }) => topic === 't/1').at(-1).id;
  const seen = () => page.evaluate(() => [...window.heard, ...window.pages].map(({ id }) => id));
  await until(async () => (await seen()).includes(last), 'the page has heard the last one', 30_000 * slow);
  const got = new Set(await seen());
  assert.deepEqual(all.filter(({ topic, id }) => ['t/0', 't/1'].includes(topic) && !got.has(id)), []);
  assert.ok(!(await heardOf(page)).some(({ gap }) => gap));
});
