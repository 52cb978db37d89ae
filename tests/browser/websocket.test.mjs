// The WebSocket of a real browser, over TLS and without: listening, publishing, changing topics, closing; and who may.

import assert from 'node:assert/strict';
import { certificate, folder, publish, serve, tlsServer, until, untilSubscribers } from '../integration/harness/index.mjs';
import { withoutWebSocket } from '../integration/harness/ws.mjs';
import { browserTest, openPage } from './chromium.mjs';

const missing = await withoutWebSocket();

// Opens one in the page; resolves with how that went. What it hears is collected in window.heard.
const open = (page, url, protocols = []) => page.evaluate(([address, names]) => new Promise((resolve) => {
  window.heard = [];
  window.socket = new WebSocket(address, names);
  window.socket.onmessage = (message) => window.heard.push(message.data);
  window.farewell = new Promise((closed) => {
    window.socket.onclose = (event) => {
      closed({ code: event.code, reason: event.reason, clean: event.wasClean });
      resolve('closed');
    };
  });
  window.socket.onopen = () => resolve(`open ${window.socket.protocol}`);
}), [url.replace(/^http/, 'ws'), protocols]);

const say = (page, value) => page.evaluate((text) => window.socket.send(text), JSON.stringify(value));
const heard = (page) => page.evaluate(() => window.heard);
const untilHeard = (page, count) =>
  until(async () => (await heard(page)).length >= count, `the page has heard ${count} messages`, 30_000);

for (const secure of missing ? [] : [false, true]) {
  browserTest(`a page listens and speaks${secure ? ' over TLS' : ''}`, async (t) => {
    const server = secure
      ? await serve(t, ...tlsServer(certificate(folder(t), 'server'), '--cors-origin', '*'))
      : await serve(t, ['--cors-origin', '*']);
    const page = await openPage(t);
    assert.equal(await open(page, `${server.url}/events/a`, ['other', 'freshet.json']), 'open freshet.json');
    const id = await publish(t, server, 'a', 'fünf € 😀');
    await untilHeard(page, 1);
    assert.deepEqual(JSON.parse((await heard(page))[0]), { id, topic: 'a', event: 'message', data: 'fünf € 😀' });
    await say(page, { ref: 1, add: ['b'], remove: ['a'] });
    await untilHeard(page, 2);
    assert.deepEqual(JSON.parse((await heard(page))[1]).changed.topics, ['b']);
    await say(page, { ref: 2, publish: { topic: 'b', data: 'x'.repeat(100_000) } });
    await untilHeard(page, 4);
    assert.equal((await heard(page))[2].length > 100_000, true);
    const closing = page.evaluate(() => {
      window.socket.close(3000, 'enough');
      return window.farewell;
    });
    assert.deepEqual(await closing, { code: 3000, reason: '', clean: true });
    await untilSubscribers(t, server, 0);
  });
}

if (!missing) {
  browserTest('a page is told that the server is ending', async (t) => {
    const server = await serve(t, ['--cors-origin', '*', '--drain', '200ms']);
    const page = await openPage(t);
    assert.equal(await open(page, `${server.url}/events/a`), 'open ');
    server.kill('SIGTERM');
    const { code, reason, clean } = await page.evaluate(() => window.farewell);
    assert.deepEqual([code, clean], [1012, true]);
    assert.match(reason, /connect again/);
    assert.equal(await server.ending(), 0);
  });

  browserTest('a page of a foreign origin cannot connect', async (t) => {
    const server = await serve(t, ['--cors-origin', 'https://friend.example']);
    const page = await openPage(t);
    assert.equal(await open(page, `${server.url}/events/a`), 'closed');
    assert.equal((await page.evaluate(() => window.farewell)).code, 1006);
  });
}
