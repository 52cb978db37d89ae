// What the examples in the languages share: the page with messages that they serve alike, a program that listens, and
// what those must do in each.

import assert from 'node:assert/strict';
import { patience, until, untilSubscribers } from '../integration/harness/index.mjs';
import { eventually, openBrowser, startFreshet, startProgram, startSite, untilState } from './harness.mjs';

const shown = (page, panel) =>
  page.$$eval(`section:nth-child(${panel}) li`, (items) => items.map((item) => item.firstChild.textContent));

export async function say(page, text) {
  await page.fill('input', text);
  await page.press('input', 'Enter');
  await until(async () => (await page.inputValue('input')) === '', 'the form was taken', 3 * patience);
}

export async function untilShown(page, texts, panel = 1) {
  await eventually(async () => (await shown(page, panel)).join() === texts.join(), async () => `${await shown(page, panel)}, not ${texts}`);
}

export const untilOpen = (page, panel = 1) => untilState(page, 'open', `section:nth-child(${panel}) .state`);

async function publishDirectly(url, text) {
  const body = JSON.stringify({ text, at: Date.now() });
  const answer = await fetch(`${url}/events/messages?event=said`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  assert.equal(answer.status, 200, await answer.text());
}

// Two windows hear what one says; freshet is started anew, and nothing is lost and nothing comes twice, also when it is
// said while freshet is away.
export async function messages(t, folder, command, options = {}) {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const site = await startSite(t, folder, command, { ...options, address: freshet.url });
  const { open } = await openBrowser(t);
  const [page, other] = [await open(site.url), await open(site.url)];
  await Promise.all([untilOpen(page), untilOpen(other)]);
  await say(page, 'one <b>&amp;</b> "two"');
  await Promise.all([page, other].map((each) => untilShown(each, ['one <b>&amp;</b> "two"'])));
  let late;
  await freshet.restart((url) => {
    late = say(page, 'said while it is away');
    return publishDirectly(url, 'missed');
  });
  await late;
  const all = ['said while it is away', 'missed', 'one <b>&amp;</b> "two"'];
  await Promise.all([untilShown(page, all), untilShown(other, all)]);
  assert.equal(await other.textContent('.count'), '3');
  const third = await open(site.url);
  await untilShown(third, all);
  return { freshet, site, page, other, open };
}

// A program that prints "ID TYPE DATA" of each event of the topic `news` prints each once, over a restart.
export async function listener(t, folder, command) {
  const freshet = await startFreshet(t);
  const publish = async (url, data, type = '') => {
    const answer = await fetch(`${url}/events/news?event=${type}`, { method: 'POST', body: data });
    assert.equal(answer.status, 200);
    return (await answer.json()).id;
  };
  const program = startProgram(t, folder, command, { env: { FRESHET_URL: freshet.url } });
  const printed = (expected) => eventually(() => program.printed === expected, () => program.printed);
  await untilSubscribers(t, freshet.server, 1);
  let expected = `${await publish(freshet.url, 'one')} message one\n`;
  await printed(expected);
  await freshet.restart(async (url) => {
    expected += `${await publish(url, 'missed')} message missed\n`;
  });
  expected += `${await publish(freshet.url, 'größer\nals', 'report')} report größer\nals\n`;
  await printed(expected);
}
