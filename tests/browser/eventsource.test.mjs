// The EventSource of a real browser: it listens, loses its server, comes back, misses nothing and repeats nothing.

import assert from 'node:assert/strict';
import { metric, publish, publisher, serve, until, untilSubscribers, withoutCompression } from '../integration/harness/index.mjs';
import { browserTest, openPage } from './chromium.mjs';
import { openProxy } from './proxy.mjs';

const settings = ['--cors-origin', '*', '--retry', '100ms', '--heartbeat', '1s'];

// Opens an EventSource in the page and waits for `open`; what it hears is collected in window.heard.
async function listen(page, url) {
  await page.evaluate((address) => new Promise((resolve) => {
    window.heard = [];
    window.opened = 0;
    window.source = new EventSource(address);
    const note = (event) => window.heard.push({ type: event.type, data: event.data, id: event.lastEventId });
    for (const type of ['message', 'tick', 'freshet.gap']) {
      window.source.addEventListener(type, note);
    }
    window.source.addEventListener('open', () => {
      window.opened++;
      resolve();
    });
  }), url);
}

const heard = (page) => page.evaluate(() => window.heard);

async function untilHeard(page, data) {
  await until(async () => (await heard(page)).some((event) => event.data === data), `the page has heard ${data}`, 30_000);
  return heard(page);
}

const untilOpened = (page, count) =>
  until(async () => (await page.evaluate(() => window.opened)) >= count, `the page has opened ${count} times`, 30_000);

const numbers = (count) => [...Array(count).keys()].map(String);

browserTest('EventSource opens before the first event, and hears type, data and id', async (t) => {
  const server = await serve(t, settings);
  const page = await openPage(t);
  await listen(page, `${server.url}/events/news`);
  const id = await publish(t, server, 'news', 'one\ntwo', { event: 'tick' });
  const events = await untilHeard(page, 'one\ntwo');
  assert.deepEqual(events, [{ type: 'tick', data: 'one\ntwo', id }]);
});

browserTest('compressed, each event is there before the next is published', async (t) => {
  const server = await serve(t, settings);
  const page = await openPage(t);
  await listen(page, `${server.url}/events/news`);
  for (const data of numbers(10)) {
    await publish(t, server, 'news', data);
    await untilHeard(page, data);
  }
  assert.deepEqual((await heard(page)).map((event) => event.data), numbers(10));
  assert.equal(await metric(t, server, 'freshet_packs_total'), withoutCompression() ? 0 : 10);
});

browserTest('the way to the server is cut and restored: nothing is missed, nothing repeated', async (t) => {
  const server = await serve(t, settings);
  const proxy = await openProxy(t, server.port);
  const page = await openPage(t);
  await listen(page, `http://127.0.0.1:${proxy.port}/events?topic=news&topic=other/*`);
  const send = await publisher(t, server, 'news');
  let count = 0;
  for (let round = 1; round <= 3; round++) {
    for (let i = 0; i < 20; i++) {
      await send(String(count++));
    }
    await untilHeard(page, String(count - 1));
    await proxy.cut();
    for (let i = 0; i < 20; i++) {
      await send(String(count++));
    }
    await proxy.open();
    await untilHeard(page, String(count - 1));
    await untilOpened(page, round + 1);
  }
  assert.deepEqual((await heard(page)).map((event) => event.data), numbers(count));
});

browserTest('cut while events are on their way: nothing is missed, nothing repeated', async (t) => {
  const server = await serve(t, settings);
  const proxy = await openProxy(t, server.port);
  const page = await openPage(t);
  await listen(page, `http://127.0.0.1:${proxy.port}/events/news`);
  let count = 0;
  let stop = false;
  const publishing = (async () => {
    const send = await publisher(t, server, 'news');
    while (!stop) {
      await send(String(count++));
      await untilCalm(page, count);
    }
  })();
  for (let round = 2; round <= 5; round++) {
    const before = count;
    await until(() => count > before + 20, 'some more is published', 30_000);
    await proxy.cut();
    await proxy.open();
    await untilOpened(page, round);
  }
  stop = true;
  await publishing;
  await untilHeard(page, String(count - 1));
  assert.deepEqual((await heard(page)).map((event) => event.data), numbers(count));
});

// Publishing must not outrun the history that a reconnect is served from.
async function untilCalm(page, count) {
  if (count % 50 === 0) {
    await until(async () => (await heard(page)).length > count - 50, 'the page keeps up', 30_000);
  }
}

browserTest('the server dies and another takes its port: the page comes back and is told of the gap', async (t) => {
  const first = await serve(t, settings);
  const page = await openPage(t);
  await listen(page, `${first.url}/events/news`);
  await publish(t, first, 'news', 'before');
  await untilHeard(page, 'before');
  first.kill('SIGKILL');
  assert.equal(await first.ending(), 'SIGKILL');
  const second = await serve(t, settings, { listen: `127.0.0.1:${first.port}` });
  await untilOpened(page, 2);
  await publish(t, second, 'news', 'after');
  const events = await untilHeard(page, 'after');
  assert.deepEqual(events.map((event) => event.type), ['message', 'freshet.gap', 'message']);
  assert.deepEqual(events.filter((event) => event.type === 'message').map((event) => event.data), ['before', 'after']);
});

browserTest('the server drains and another takes its port: the page does not give up', async (t) => {
  const first = await serve(t, [...settings, '--drain', '500ms']);
  const page = await openPage(t);
  await listen(page, `${first.url}/events/news`);
  first.kill('SIGTERM');
  assert.equal(await first.ending(), 0);
  const second = await serve(t, settings, { listen: `127.0.0.1:${first.port}` });
  await untilOpened(page, 2);
  await publish(t, second, 'news', 'after');
  await untilHeard(page, 'after');
});

browserTest('a full server does not make the page give up: it comes in when there is room', async (t) => {
  const server = await serve(t, [...settings, '--max-connections', '1']);
  const holder = await openPage(t);
  await listen(holder, `${server.url}/events/news`);
  const page = await openPage(t);
  await page.evaluate((url) => {
    window.opened = 0;
    window.failed = 0;
    window.source = new EventSource(url);
    window.source.addEventListener('open', () => window.opened++);
    window.source.addEventListener('error', () => window.failed++);
  }, `${server.url}/events/news`);
  await until(() => page.evaluate(() => window.failed > 0), 'the page was turned away', 30_000);
  assert.notEqual(await page.evaluate(() => window.source.readyState), 2, 'CLOSED is for ever');
  await holder.evaluate(() => window.source.close());
  await untilOpened(page, 1);
});

browserTest('a page publishes with fetch, from another origin', async (t) => {
  const server = await serve(t, settings);
  const page = await openPage(t);
  await listen(page, `${server.url}/events/news`);
  const id = await page.evaluate(async (url) => {
    const response = await fetch(url, { method: 'POST', body: 'hello' });
    return (await response.json()).id;
  }, `${server.url}/events/news`);
  assert.deepEqual(await untilHeard(page, 'hello'), [{ type: 'message', data: 'hello', id }]);
});

browserTest('close() is noticed by the server', async (t) => {
  const server = await serve(t, settings);
  const page = await openPage(t);
  await listen(page, `${server.url}/events/news`);
  await untilSubscribers(t, server, 1);
  await page.evaluate(() => window.source.close());
  await untilSubscribers(t, server, 0);
});
