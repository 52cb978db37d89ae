// Draws docs/pictures/*.png for make screenshots: a real server, a real browser, and what tests/browser/shots/*.mjs do
// there. Each of those exports a list `shots` of { name, size, dark, draw }: draw({ page, server, url }) brings the page to
// where the picture is to be taken, and the picture is docs/pictures/NAME.png. What it needs besides it starts, and
// gives a function to `after` that ends it.
//
// usage: node tests/browser/screenshots.mjs [NAME]…      without names: all of them

import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from '../integration/harness/env.mjs';
import { serve } from '../integration/harness/process.mjs';
import { launchBrowser } from './chromium.mjs';

const folder = path.join(root, 'tests/browser/shots');
const pictures = path.join(root, 'docs/pictures');

async function shotsOf(wanted) {
  const files = readdirSync(folder).filter((file) => file.endsWith('.mjs')).sort();
  const modules = await Promise.all(files.map((file) => import(path.join(folder, file))));
  return modules.flatMap(({ shots }) => shots).filter(({ name }) => !wanted.length || wanted.includes(name));
}

async function take(browser, { name, size = { width: 1280, height: 800 }, dark = false, args = [], draw }) {
  const ends = [];
  const after = (end) => ends.push(end);
  try {
    const server = await serve({ after }, args);
    const context = await browser.newContext({ viewport: size, colorScheme: dark ? 'dark' : 'light', deviceScaleFactor: 2 });
    after(() => context.close());
    const page = await context.newPage();
    page.on('console', (message) => console.error(`${name}: ${message.text()}`));
    await draw({ page, server, url: server.url, after });
    await page.screenshot({ path: path.join(pictures, `${name}.png`) });
    console.log(`docs/pictures/${name}.png`);
  } finally {
    for (const end of ends.reverse()) {
      await end();
    }
  }
}

mkdirSync(pictures, { recursive: true });
const browser = await launchBrowser();
try {
  for (const shot of await shotsOf(process.argv.slice(2))) {
    await take(browser, shot);
  }
} finally {
  await browser.close();
}
