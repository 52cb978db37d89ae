// examples/php: the site with messages in a real browser; and the stream by hand, which works until the workers are used
// up.

import assert from 'node:assert/strict';
import { within } from '../integration/harness/index.mjs';
import { exampleTest, directory, openBrowser, startFreshet, startSite, without } from './harness.mjs';
import { messages, untilOpen, untilShown } from './messages.mjs';

const missing = without('php', '-r', 'exit(PHP_VERSION_ID < 80100 ? 1 : 0);');
const command = ['php', '-S', '127.0.0.1:0', 'index.php'];

// The site with so many processes. Its messages are in a directory of the test's own.
const options = (t, processes) => ({ env: { TMPDIR: directory(t), ...(processes > 1 && { PHP_CLI_SERVER_WORKERS: String(processes - 1) }) } });

const sayTo = (site, text) => fetch(`${site.url}/say`, { method: 'POST', body: new URLSearchParams({ text }) });

// A stream by hand, as soon as its first bytes are there.
async function openStream(t, site) {
  const controller = new AbortController();
  t.after(() => controller.abort());
  const answer = await within(fetch(`${site.url}/direct`, { signal: controller.signal }), 'the stream by hand');
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let heard = '';
  const untilHeard = async (text) => {
    while (!heard.includes(text)) {
      const { value, done } = await within(reader.read(), `${text} by hand`);
      assert.ok(!done, 'the stream has ended');
      heard += value;
    }
  };
  await untilHeard('retry: 1000\n\n');
  return { answer, untilHeard, close: () => controller.abort() };
}

exampleTest('php: what one page says all pages show, and a restart loses and repeats nothing', { needs: [missing] }, async (t) => {
  await messages(t, 'php', command, options(t, 1));
});

exampleTest('php: the stream by hand shows the same', { needs: [missing] }, async (t) => {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const site = await startSite(t, 'php', command, { ...options(t, 4), address: freshet.url });
  const { open } = await openBrowser(t);
  const page = await open(`${site.url}/?direct`);
  await Promise.all([untilOpen(page, 1), untilOpen(page, 2)]);
  const answer = await sayTo(site, 'größer\nals');
  assert.equal(answer.status, 204);
  await Promise.all([untilShown(page, ['größer\nals'], 1), untilShown(page, ['größer\nals'], 2)]);
});

exampleTest('php: as many listeners by hand as processes, and the site stands still', { needs: [missing], browser: false }, async (t) => {
  const freshet = await startFreshet(t, ['--cors-origin', '*']);
  const site = await startSite(t, 'php', command, { ...options(t, 3), address: freshet.url });
  const streams = [await openStream(t, site), await openStream(t, site)];
  assert.equal(streams[0].answer.headers.get('content-type'), 'text/event-stream;charset=UTF-8');
  assert.equal((await sayTo(site, 'there is one left')).status, 204);
  await Promise.all(streams.map((stream) => stream.untilHeard('there is one left')));
  streams.push(await openStream(t, site));
  let answered = false;
  const waiting = assert.rejects(sayTo(site, 'waits').then(() => {
    answered = true;
  }), 'the site answered');
  // What freshet hears meanwhile is that nothing was said: no process is left to say it.
  const heard = await fetch(`${freshet.url}/events/messages?last_event_id=earliest`, { headers: { accept: 'application/json' } });
  assert.deepEqual((await heard.json()).map(({ data }) => JSON.parse(data).text), ['there is one left']);
  assert.equal(answered, false);
  await site.stop();
  await waiting;
});
