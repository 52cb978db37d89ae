// examples/model-tokens: the whole answer, each token once, over a reload and a restart in the middle of it.

import assert from 'node:assert/strict';
import { eventually, exampleTest, openBrowser, startFreshet, startSite, untilState } from './harness.mjs';

const tokens = async (page) => Number(await page.textContent('.count'));

async function untilTokens(page, least) {
  await eventually(async () => (await tokens(page)) >= least, () => tokens(page));
}

// What the model says, from the model.
async function answerTo(question) {
  process.env.MODEL_PAUSE = '0';
  const { speak } = await import('../../examples/model-tokens/model.mjs');
  let text = '';
  let count = 0;
  for await (const bytes of speak(question)) {
    const [, data] = new TextDecoder().decode(bytes).match(/^data: (.*)\n\n$/);
    if (data !== '[DONE]') {
      text += JSON.parse(data).choices[0].delta.content;
      count++;
    }
  }
  return { text, count };
}

async function startAll(t, pause) {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const site = await startSite(t, 'model-tokens', ['node', 'server.mjs'], { address: freshet.url, env: { MODEL_PAUSE: pause } });
  const { open } = await openBrowser(t);
  return { freshet, open, page: await open(site.url) };
}

exampleTest('model tokens: the whole answer, once, over a reload and a restart', {}, async (t) => {
  const { freshet, open, page } = await startAll(t, '10');
  const question = 'Why <b>twice</b>?';
  await page.fill('input', question);
  await page.click('form button');
  await untilTokens(page, 20);
  await page.reload();
  await untilTokens(page, 40);
  await freshet.restart();
  const other = await open(page.url());
  await Promise.all([untilState(page, 'done'), untilState(other, 'done')]);
  const { text, count } = await answerTo(question);
  for (const each of [page, other]) {
    assert.equal(await each.textContent('.answer'), text);
    assert.equal(await tokens(each), count);
  }
});

exampleTest('model tokens: an answer that is stopped ends', {}, async (t) => {
  const { page } = await startAll(t, '50');
  await page.click('form button');
  await untilTokens(page, 3);
  await page.click('.stop');
  await untilState(page, 'stopped');
  assert.equal(await page.isDisabled('.stop'), true);
});
