// examples/nextjs: installed, built and started as its README says, and driven in a browser. What cannot be installed here
// is skipped by name.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test, untilSubscribers } from '../integration/harness/index.mjs';
import { eventually, exampleTest, openBrowser, startFreshet, startSite, untilState, untilText } from './harness.mjs';
import { say } from './messages.mjs';
import { environment, folder, makeNextjs } from './nextjs-build.mjs';

const missing = makeNextjs();

const byFreshet = 'section[aria-label="Through freshet"]';
const byHand = 'section[aria-label="By hand, from a route"]';

// The texts that a panel shows, newest first.
const shown = (page, panel) => page.$$eval(`${panel} li`, (items) => items.map((item) => item.children[1].textContent));

async function untilShown(page, ...texts) {
  const seen = () => shown(page, byFreshet);
  await eventually(async () => (await seen()).join() === texts.join(), async () => `${await seen()}, not ${texts}`);
}

const start = (t, address, env = {}) => startSite(t, 'nextjs', ['npm', 'start'], { address, env: { ...environment, ...env } });

async function publish(url, text, at) {
  const answer = await fetch(`${url}/events/nextjs`, { method: 'POST', body: JSON.stringify({ text, at }) });
  assert.equal(answer.status, 200, await answer.text());
}

// The clocks of the pages stand still, at so many milliseconds after their beginning.
const beginning = Date.UTC(2020, 0, 1);
const setClock = (context, ms) => context.clock.setFixedTime(beginning + ms);

exampleTest('nextjs: the numbers are right, a restart loses and repeats nothing, and leaving closes', { needs: [missing] }, async (t) => {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const site = await start(t, freshet.url);
  const { context, open } = await openBrowser(t);
  await setClock(context, 0);
  const [page, other] = [await open(site.url), await open(site.url)];
  const both = (check) => Promise.all([page, other].map(check));
  await both((each) => untilState(each, 'open', `${byFreshet} .state`));
  assert.equal(await page.textContent(`${byFreshet} .latency`), '–');

  await setClock(context, 1000);
  await publish(freshet.url, 'took 100 ms', beginning + 900);
  await publish(freshet.url, 'took 300 ms', beginning + 700);
  await both(async (each) => {
    await untilShown(each, 'took 300 ms', 'took 100 ms');
    await untilText(each, `${byFreshet} .latency`, '200.0 ms');
    await untilText(each, `${byFreshet} .connected`, '1 s');
  });

  let said;
  await freshet.restart(async (url) => {
    await both((each) => untilState(each, 'connecting', `${byFreshet} .state`));
    said = say(page, 'one <b>&amp;</b>');
    await publish(url, 'missed', beginning + 500);
  });
  await said;
  const all = ['one <b>&amp;</b>', 'missed', 'took 300 ms', 'took 100 ms'];
  await both(async (each) => {
    await untilShown(each, ...all);
    await untilText(each, `${byFreshet} .count`, '4');
    // What was missed is not measured, and what was said now is by the clock of the page not older than 0 ms.
    await untilText(each, `${byFreshet} .latency`, '133.3 ms');
  });

  await other.click(`${byFreshet} button`);
  await untilState(other, 'closed', `${byFreshet} .state`);
  await untilText(other, `${byFreshet} .connected`, '0 s');
  await untilSubscribers(t, freshet.server, 1);
  await say(page, 'said meanwhile');
  await untilShown(page, 'said meanwhile', ...all);
  await untilShown(other, ...all);
  await other.click(`${byFreshet} button`);
  await untilShown(other, 'said meanwhile', ...all);
  await untilText(other, `${byFreshet} .count`, '5');

  await untilSubscribers(t, freshet.server, 2);
  const listeners = async () => (await (await fetch(`${freshet.url}/api/connections`)).json()).total;
  assert.equal(await listeners(), 2);
  await other.click('a[href="/away"]');
  await eventually(async () => (await listeners()) === 1, listeners);
  await other.click('a[href="/"]');
  await untilShown(other, 'said meanwhile', ...all);
  await other.close();
  await eventually(async () => (await listeners()) === 1, listeners);

  const texts = Array.from({ length: 12 }, (_, index) => `number ${index + 1}`);
  for (const text of texts) {
    await publish(freshet.url, text, beginning + 500);
  }
  const ten = texts.slice(-10).reverse();
  await untilShown(page, ...ten);
  await untilText(page, `${byFreshet} .count`, '17');
  const late = await open(site.url);
  await untilShown(late, ...ten);
  await untilText(late, `${byFreshet} .count`, '10');
  assert.equal(await late.textContent(`${byFreshet} .latency`), '–', 'history is not measured');
});

const direct = (site, signal) => fetch(`${site.url}/api/direct`, { headers: { 'Accept-Encoding': 'gzip' }, signal });

// What its first message says of the process: the streams and the timers that it has, this one's included.
async function load(site) {
  const answer = await direct(site);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let part; !/timers: \d+/.test(text) && !part?.done; text += part.value ?? '') {
    part = await reader.read();
  }
  const [, streams, timers] = text.match(/streams: (\d+), timers: (\d+)/).map(Number);
  return { streams, timers, leave: () => reader.cancel() };
}

// A stream has three timers, and Next has none when it is idle.
async function untilStreams(site, streams) {
  let now;
  await eventually(async () => {
    now = await load(site);
    await now.leave();
    return now.streams === streams && now.timers === 3 * streams;
  }, () => `${JSON.stringify(now)}, not ${streams} streams`);
}

exampleTest('nextjs: who leaves the stream by hand leaves no timer behind', { needs: [missing] }, async (t) => {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const site = await start(t, freshet.url);
  const many = await Promise.all(Array.from({ length: 20 }, () => load(site)));
  await untilStreams(site, 21);
  await Promise.all(many.map(({ leave }) => leave()));
  await untilStreams(site, 1);

  const { open } = await openBrowser(t);
  const page = await open(site.url);
  await untilStreams(site, 2);
  await page.click(`${byHand} button`);
  await untilStreams(site, 1);
  await page.click(`${byHand} button`);
  await untilStreams(site, 2);
  await page.click('a[href="/away"]');
  await untilStreams(site, 1);
});

exampleTest('nextjs: the stream by hand says what it should and ends, and nonsense is not published', { needs: [missing] }, async (t) => {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const site = await start(t, freshet.url, { DIRECT_SECONDS: '6' });
  const { open } = await openBrowser(t);
  const page = await open(site.url);
  const answer = await direct(site);
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.equal(answer.headers.get('cache-control'), 'no-cache, no-transform');
  assert.equal(answer.headers.get('content-encoding'), null);
  const text = await answer.text(); // it ends by itself
  assert.match(text, /^retry: 3000\n\nevent: message\n/);
  assert.doesNotMatch(text, /^id:/m);
  const events = [...text.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm)].map(([, type, data]) => ({ type, ...JSON.parse(data) }));
  const [first, ...messages] = events.filter(({ type }) => type === 'message').map((event) => event.text);
  assert.match(first, /^Connected; process \d+ holds streams: \d+, timers: \d+$/);
  assert.ok(messages.length >= 1, text);
  assert.deepEqual(messages, messages.map((_, index) => `Message ${index + 1}`));
  assert.match(events.find(({ type }) => type === 'status').text, /^\d+ s, \d+ messages; process \d+ holds/);

  for (const body of ['', '{}', 'null', '{"text":7}', '{"text":""}', JSON.stringify({ text: 'x'.repeat(20_000) })]) {
    assert.equal((await fetch(`${site.url}/api/publish`, { method: 'POST', body })).status, 400, body);
  }

  // For the page the end was a break: it has come back, and begins anew, without an id.
  const connected = async () => (await shown(page, byHand)).filter((item) => item.startsWith('Connected')).length;
  await eventually(async () => (await connected()) === 2, () => shown(page, byHand));
  assert.equal(await page.textContent(`${byHand} .last`), 'none');
});

test('nextjs: its versions are exact', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
});
