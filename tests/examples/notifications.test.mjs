// examples/notifications: each user hears their own, all tabs agree, and only one stream is open for all of them.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bearer, token } from '../integration/harness/index.mjs';
import { directory, eventually, exampleTest, openBrowser, startFreshet, startSite, untilState, untilText } from './harness.mjs';

async function logIn(open, url, user) {
  const page = await open(url);
  await page.click(`button[value=${user}]`);
  await untilState(page, 'open');
  return page;
}

async function notify(page, to, text) {
  await page.selectOption('select', to);
  await page.fill('input', text);
  await page.click('form.notify button');
  await eventually(async () => (await page.inputValue('input')) === '', () => page.inputValue('input'));
}

const listed = (page) => page.$$eval('li span', (items) => items.map((item) => item.textContent));

async function untilListed(page, texts) {
  await eventually(async () => (await listed(page)).join() === texts.join(), async () => `${await listed(page)}, not ${texts}`);
}

exampleTest('notifications: per user, over tabs, reloads and a restart', {}, async (t) => {
  const secret = path.join(directory(t), 'secret');
  writeFileSync(secret, `${randomBytes(36).toString('base64')}\n`, { mode: 0o600 });
  const freshet = await startFreshet(t);
  const site = await startSite(t, 'notifications', ['node', 'server.mjs'], { address: freshet.url, env: { FRESHET_JWT_SECRET_FILE: secret } });
  const settings = ['--jwt-secret-file', secret, '--cors-origin', site.url];
  await freshet.restart(undefined, settings);
  const [anns, bobs] = [await openBrowser(t), await openBrowser(t)];
  const ann = await logIn(anns.open, site.url, 'ann');
  const bob = await logIn(bobs.open, site.url, 'bob');
  await notify(bob, 'ann', 'the build is <green>');
  await untilListed(ann, ['bob: the build is <green>']);
  await untilText(ann, '.badge', '1');
  await untilText(bob, '.badge', '0');

  const second = await anns.open(site.url);
  await untilState(second, 'open');
  await untilText(second, '.badge', '1');
  await notify(bob, 'ann', 'the build is red');
  await Promise.all([ann, second].map((tab) => untilText(tab, '.badge', '2')));
  await second.click('.read');
  await Promise.all([ann, second].map((tab) => untilText(tab, '.badge', '0')));

  let late;
  await freshet.restart(() => {
    late = notify(bob, 'ann', 'said while it is away');
  }, settings);
  await late;
  const all = ['bob: said while it is away', 'bob: the build is red', 'bob: the build is <green>'];
  await Promise.all([ann, second].map((tab) => untilListed(tab, all)));
  await ann.reload();
  await untilListed(ann, all);
  await untilText(ann, '.badge', '1');

  // Two tabs of hers and one of his are two streams.
  const admin = token({ freshet: { admin: true } }, { key: readFileSync(secret, 'utf8').trim() });
  const connections = await (await fetch(`${freshet.url}/api/connections`, { headers: bearer(admin) })).json();
  assert.deepEqual(connections.connections.map(({ topics }) => topics.join()).sort(), ['users/ann/notifications', 'users/bob/notifications']);

  const strangers = await fetch(`${freshet.url}/events/users/ann/notifications`);
  assert.equal(strangers.status, 401);
  const cookie = (await bobs.context.cookies()).find(({ name }) => name === 'freshet_token');
  const bobAsks = await fetch(`${freshet.url}/events/users/ann/notifications`, { headers: bearer(cookie.value) });
  assert.equal(bobAsks.status, 403);
});
