// The page of examples/nextjs, with messages in both of its panels.

import { startSite, untilState, untilText } from '../../examples/harness.mjs';
import { environment, makeNextjs } from '../../examples/nextjs-build.mjs';

async function draw(shot) {
  const missing = makeNextjs();
  if (missing) {
    throw new Error(missing);
  }
  const { page, server } = shot;
  const { url } = await startSite(shot, 'nextjs', ['npm', 'start'], { address: server.url, env: environment });
  await page.goto(url);
  await untilState(page, 'open');
  for (const [count, text] of ['Good morning!', 'The river is rising.', 'Who closes the gate?', 'I do.'].entries()) {
    await page.fill('input', text);
    await page.press('input', 'Enter');
    await untilText(page, '.count', String(count + 1));
  }
  await page.waitForFunction(() => document.querySelectorAll('section:nth-child(2) li').length >= 4);
}

export const shots = [{ name: 'example-nextjs', size: { width: 1000, height: 890 }, args: ['--cors-origin', '*'], draw }];
