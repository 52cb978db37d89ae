// The server is killed at random moments under load, and started again on the same directory. What was acknowledged is
// written down independently of the program (harness/crashes.mjs), and compared with what listeners get who come back
// with their last id. FRESHET_BIG=1 does it hundreds of times, FRESHET_CRASHES=50 so often.

import assert from 'node:assert/strict';
import { big, test } from './harness/index.mjs';
import { checkNothingMissing, killWithin, run } from './harness/crashes.mjs';

const crashes = Number(process.env.FRESHET_CRASHES ?? (big ? 300 : 12));
const patient = { timeout: 60_000 + crashes * 3_000 };

test(`what was acknowledged survives ${crashes} crashes`, patient, async (t) => {
  checkNothingMissing(await run(t, crashes, [], { disturb: killWithin(600) }));
});

test('relaxed: what a crash lost is told as a gap', patient, async (t) => {
  const rounds = Math.ceil(crashes / 3);
  const args = ['--durability', 'relaxed', '--commit-interval', '200ms'];
  const { book, listeners: { steady, rare } } = await run(t, rounds, args, { disturb: killWithin(10_000) }); // several commits
  const missing = [steady, rare].map((listener) => listener.check(book));
  t.diagnostic(`missing, and told: ${missing.join(' and ')}; gaps: ${steady.gaps.length} and ${rare.gaps.length}`);
  assert.ok(rare.gaps.length > 0, 'something was lost, and told');
});
