// HTTP/2 in a real browser, which speaks it only over TLS: the cure for its limit of six connections to a server.

import assert from 'node:assert/strict';
import { apiConnections, certificate, folder, publish, serve, tlsServer, until } from '../integration/harness/index.mjs';
import { browserTest, openPage } from './chromium.mjs';

const COUNT = 40;

browserTest('forty EventSources of one page live on one connection', async (t) => {
  const server = await serve(t, ...tlsServer(certificate(folder(t), 'server'), '--cors-origin', '*'));
  const page = await openPage(t);
  await page.evaluate(([url, count]) => {
    window.heard = [];
    window.sources = Array.from({ length: count }, (_, i) => {
      const source = new EventSource(`${url}/events/topic${i}`);
      source.onmessage = (event) => window.heard.push(`${i} ${event.data}`);
      return source;
    });
    return Promise.all(window.sources.map((source) => new Promise((resolve) => {
      source.onopen = resolve;
    })));
  }, [server.url, COUNT]);
  const connections = await apiConnections(t, server);
  for (let i = 0; i < COUNT; i++) {
    await publish(t, server, `topic${i}`, 'hello');
  }
  const heard = () => page.evaluate(() => window.heard);
  await until(async () => (await heard()).length >= COUNT, 'every source has heard', 30_000);
  assert.deepEqual((await heard()).sort(), Array.from({ length: COUNT }, (_, i) => `${i} hello`).sort());
  // A browser that does not know a server yet tries several connections at once, and then settles for one of them.
  assert.equal(connections.length, COUNT);
  assert.ok(new Set(connections.map((each) => each.peer)).size <= 2, 'they share a connection');
});
