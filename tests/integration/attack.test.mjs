// Attacks by many at once: those who listen get every event, in order, and those who come are let in. How long anything
// takes is not asserted here; bench/attack.mjs measures it.

import assert from 'node:assert/strict';
import {
  big, limitHits, metric, publish, publisher, serve, subscribe, subscribers, test, until, untilSubscribers,
} from './harness/index.mjs';
import { Attack } from './harness/attackers.mjs';

const attackers = big ? 5000 : 2000;
const honest = big ? 1000 : 200;
const events = 100;
const data = 'x'.repeat(4096); // enough in all to fill the buffers of those who do not read

function attack(t, server, options) {
  const all = new Attack(server, attackers, options);
  t.after(() => all.stop());
  return all;
}

// Who is told to come back does, as an EventSource would.
async function listen(t, server, path) {
  let stream;
  await until(async () => {
    stream = await subscribe(t, server, path).catch(() => undefined);
    return stream && stream.head.headers['retry-after'] === undefined;
  }, 'a listener is let in', 60_000);
  return stream;
}

const listenAll = (t, server, count) => Promise.all(Array.from({ length: count }, () => listen(t, server, '/events/a')));

// Publishes, and checks that each of them gets all of it in order.
async function checkDelivery(send, listeners) {
  const sent = [];
  for (let i = 0; i < events; i++) {
    sent.push(await send(`${i}${data}`));
  }
  for (const stream of listeners) {
    assert.deepEqual((await stream.take(events, 60_000)).map((event) => event.id), sent);
  }
}

test('slow heads, slow bodies, readers that do not read and a flood of connections', { timeout: 180_000 }, async (t) => {
  const server = await serve(t, ['--workers', '2', '--header-timeout', '1s', '--body-timeout', '1s', '--retry', '100ms',
    '--socket-buffer', '64k']);
  const listeners = await listenAll(t, server, honest);
  const bad = attack(t, server);
  await until(() => bad.counts.connected > attackers, 'all have attacked', 60_000);
  // Those who come and go count again each time: it may be that nobody else has come yet.
  await until(async () => (await subscribers(t, server)) > honest, 'some listen, and do not read', 60_000);
  await checkDelivery(await publisher(t, server, 'a'), listeners);
  const late = await listenAll(t, server, 10);
  await until(async () => (await limitHits(t, server, 'header-timeout')) > 0 && (await limitHits(t, server, 'body-timeout')) > 0,
    'slow ones were thrown out', 60_000);
  assert.ok((await metric(t, server, 'freshet_stalls_total')) > 0, 'some did not read');
  await checkDelivery(await publisher(t, server, 'a'), [...listeners, ...late]);
  t.diagnostic(`${bad.counts.connected} connections of attackers, of which ${bad.open} are open`);
  bad.stop();
  await untilSubscribers(t, server, honest + 10, 60_000);
  listeners.forEach((stream) => stream.assertQuiet());
});

test('--max-connections-per-address keeps the house from being filled by a few', { timeout: 180_000 }, async (t) => {
  const most = honest + 200;
  const server = await serve(t, ['--workers', '2', '--max-connections', String(most), '--max-connections-per-address', String(honest + 50),
    '--trusted-proxies', '127.0.0.1', '--retry', '100ms']);
  const fill = attack(t, server, { addresses: ['127.0.0.2'] });
  await until(() => limitHits(t, server, 'max-connections-per-address'), 'the attackers have as many as they may', 60_000);
  const room = most - (honest + 50);
  const listeners = await listenAll(t, server, room - 10);
  await checkDelivery(await publisher(t, server, 'a'), listeners);
  assert.equal(await limitHits(t, server, 'max-connections'), 0);
  fill.stop();
});

test('without it they fill the house, and whoever is there is served all the same', { timeout: 180_000 }, async (t) => {
  const most = honest + 200;
  const server = await serve(t, ['--workers', '2', '--max-connections', String(most), '--header-timeout', '1s', '--body-timeout', '1s',
    '--retry', '100ms']);
  const listeners = await listenAll(t, server, honest);
  const send = await publisher(t, server, 'a');
  await checkDelivery(send, listeners); // from now on its connection is one that may be silent
  const fill = attack(t, server);
  await until(() => limitHits(t, server, 'max-connections').catch(() => 0), 'the house is full', 60_000);
  await checkDelivery(send, listeners);
  fill.stop();
  await until(() => publish(t, server, 'a', 'after').then(() => true, () => false), 'there is room again', 60_000);
});
