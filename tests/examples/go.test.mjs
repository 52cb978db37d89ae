// examples/go: the site with messages in a real browser, and its stream by hand beside it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { root } from '../integration/harness/index.mjs';
import { exampleTest, startSite, without } from './harness.mjs';
import { messages, say, untilOpen, untilShown } from './messages.mjs';

const missing = without('go', 'version');
const env = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod', GOPROXY: 'off' };

// A machine on which nothing was built yet compiles net/http, for longer than a site may take to start.
if (!missing) {
  execFileSync('go', ['build', '-o', '/dev/null', '.'], { cwd: path.join(root, 'examples/go'), env: { ...process.env, ...env }, timeout: 600_000 });
}

exampleTest('go: what one page says all pages show, and a restart loses and repeats nothing', { needs: [missing] }, async (t) => {
  const { page, other, open, site } = await messages(t, 'go', ['go', 'run', '.'], { env });
  // By hand there is no past: whoever was there heard it, unless freshet alone was told.
  await Promise.all([untilOpen(page, 2), untilOpen(other, 2)]);
  await untilShown(other, ['said while it is away', 'one <b>&amp;</b> "two"'], 2);
  const fourth = await open(site.url);
  await untilOpen(fourth, 2);
  await say(page, 'größer');
  await untilShown(fourth, ['größer'], 2);
  await untilShown(fourth, ['größer', 'said while it is away', 'missed', 'one <b>&amp;</b> "two"']);
  assert.equal(await other.textContent('section:nth-child(2) .breaks'), '0');
});
