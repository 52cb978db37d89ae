// A real browser, the system's, with a page from a server of the test's own: another origin than freshet's.

import { accessSync, constants } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { test } from '../integration/harness/index.mjs';

// The same list as in tools/deps.
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const places = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium'];

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findBrowser() {
  if (process.env.CHROMIUM) {
    return process.env.CHROMIUM;
  }
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return [...names.flatMap((name) => folders.map((folder) => path.join(folder, name))), ...places].find(isProgram);
}

const executablePath = findBrowser();
const reason = 'NO BROWSER: install Chromium or set CHROMIUM to its path';

// Like test(), but skipped, by its name and loudly, on a machine without a browser.
export function browserTest(name, fn) {
  if (!executablePath) {
    console.error(`skipped, ${reason}: ${name}`);
  }
  return test(name, { skip: executablePath ? false : reason, timeout: 120_000 }, fn);
}

const args = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

// The browser, without a page; whoever launches it closes it.
export function launchBrowser() {
  return chromium.launch({ executablePath, args });
}

// Serves `html` at a port of its own and opens it; returns the page. All of it is closed after the test.
export async function openPage(t, html = '<!doctype html><title>freshet</title>') {
  const web = http.createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
  });
  await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve));
  t.after(() => web.close());
  t.after(() => web.closeAllConnections());
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  await page.goto(`http://127.0.0.1:${web.address().port}/`);
  return page;
}
