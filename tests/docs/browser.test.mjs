// What the documentation gives a reader to open in a browser does there what the page says.

import assert from 'node:assert/strict';
import http from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { browserTest, openPage } from '../browser/chromium.mjs';
import { openProxy } from '../browser/proxy.mjs';
import { publish, serve, until, untilSubscribers } from '../integration/harness/index.mjs';
import { blocksOf, remarked } from './markdown.mjs';

const shown = (page, where) => page.evaluate((selector) => [...document.querySelectorAll(selector)].map((each) => each.textContent), where);
const untilShown = (page, where, texts) => until(async () => (await shown(page, where)).join('|') === texts.join('|'), `${where} says ${texts}`, 30_000);

browserTest('the page of the first five minutes listens, from a file, and misses nothing when the connection breaks', async (t) => {
  const server = await serve(t, ['--cors-origin', '*', '--retry', '100ms']);
  const proxy = await openProxy(t, server.port);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'freshet-docs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const block = blocksOf('docs/README.md').find((each) => remarked(each, 'file') === 'listen.html');
  writeFileSync(path.join(folder, 'listen.html'), block.text.replace('localhost:8042', `127.0.0.1:${proxy.port}`));
  await publish(t, server, 'news', 'before it came');

  const page = await openPage(t);
  await page.goto(`file://${folder}/listen.html`);
  await untilShown(page, '#state', ['connected']);
  await publish(t, server, 'news', 'The river is rising');
  await untilShown(page, '#news li', ['before it came', 'The river is rising']);

  await proxy.cut();
  await untilShown(page, '#state', ['reconnecting']);
  await untilSubscribers(t, server, 0);
  await publish(t, server, 'news', 'while it was gone');
  await proxy.open();
  await untilShown(page, '#news li', ['before it came', 'The river is rising', 'while it was gone']);
});

// Answers request after request as the list says; what was asked for is in `asked`.
async function answering(t, answers) {
  const asked = [];
  const web = http.createServer((request, response) => {
    const cors = { 'access-control-allow-origin': '*' };
    const [status, body] = answers[asked.length] ?? answers.at(-1);
    asked.push(request.url);
    response.writeHead(status, { ...cors, 'content-type': status === 200 ? 'text/event-stream' : 'text/plain' });
    response.end(body);
  });
  await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve));
  t.after(() => web.close());
  t.after(() => web.closeAllConnections());
  return { asked, url: `http://127.0.0.1:${web.address().port}/events/news` };
}

browserTest('a page that does not give up comes back after a 502, and goes on where it was', async (t) => {
  const block = blocksOf('docs/sse.md').find(({ text }) => text.startsWith('function listen('));
  const { asked, url } = await answering(t, [[502, ''], [200, 'retry: 1\nid: 7\ndata: one\n\n'], [502, ''], [200, 'retry: 60000\nid: 8\ndata: two\n\n']]);
  const page = await openPage(t);
  await page.addScriptTag({ content: block.text });
  await page.evaluate((address) => {
    window.heard = [];
    window.listen(address, (event) => window.heard.push(event.data));
  }, url);
  await until(async () => (await page.evaluate(() => window.heard)).join() === 'one,two', 'both events are heard', 30_000);
  assert.deepEqual(asked.map((each) => each.replace(/.*\?/, '?')).filter((each) => each.startsWith('?')), ['?last_event_id=7']);
});
