// The console, with something going on.

import { busyServer, news } from '../traffic.mjs';

const wide = { width: 1280, height: 800 };
const narrow = { width: 390, height: 844 };

const overview = async ({ page, url, server, after }) => {
  await busyServer(server, after);
  await page.goto(url);
  await page.waitForTimeout(12_000); // so that the plots have something to show
};

const open = (path, ready) => async ({ page, url, server, after }) => {
  await busyServer(server, after);
  await page.goto(`${url}/#/${path}`);
  await page.locator(ready).first().waitFor();
  await page.waitForTimeout(4_500); // two looks, so that there are rates
};

const topic = open(`topics/${encodeURIComponent(news)}`, '.event');

export const shots = [
  { name: 'console', size: wide, draw: overview },
  { name: 'console-dark', size: wide, dark: true, draw: overview },
  { name: 'console-topic', size: wide, draw: topic },
  { name: 'console-narrow', size: narrow, draw: overview },
];
