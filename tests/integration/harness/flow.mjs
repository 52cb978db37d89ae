// A steady flow of events over some topics, and what a stream whose topics change must have heard of it.

import assert from 'node:assert/strict';
import { assertRising, order } from './api.mjs';
import { connect } from './socket.mjs';

export const TOPICS = 10;
const BATCH = 20, EVERY_MS = 20; // a thousand a second, if the machine can

// Publishes to t/0 … t/9 in turn until it is stopped; `stop` gives all events, in order, as { id, topic }.
export async function startFlow(t, server) {
  const socket = await connect(t, server);
  const events = [];
  let stopped = false, begun;
  const enough = new Promise((resolve) => { begun = resolve; });
  const publishBatch = async () => {
    const batch = Array.from({ length: BATCH }, (_, i) => ({ topic: `t/${(events.length + i) % TOPICS}`, data: `${events.length + i}` }));
    const body = JSON.stringify(batch);
    socket.send(`POST /events HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const answers = (await socket.readResponse()).json();
    answers.forEach(({ id }, i) => events.push({ id, topic: batch[i].topic, data: batch[i].data }));
  };
  const running = (async () => {
    while (!stopped) {
      // A pace, so that those who listen are mostly up to date, as they would be.
      const pause = new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      await publishBatch();
      events.length >= 100 && begun();
      await pause;
    }
  })();
  running.catch(() => {});
  await Promise.race([enough, running]);
  return {
    // The id of the event so many before the newest.
    recent: (count) => events.at(-count).id,
    stop: async () => {
      stopped = true;
      await running;
      return [...events];
    },
  };
}

// `phases` are what the stream was told: { from, topics }, the first at its begin, the last at its end. Between two
// places it has heard the events of the topics that it had, each once and in order.
export function checkPhases(phases, flow, heard) {
  assertRising(heard.map(({ id }) => id));
  const expected = [];
  for (let i = 0; i + 1 < phases.length; i++) {
    const begin = order(phases[i].from), end = order(phases[i + 1].from);
    assert.ok(begin <= end, 'the stream only goes forward');
    expected.push(...flow.filter(({ id, topic }) => order(id) > begin && order(id) <= end && phases[i].topics.includes(topic)));
  }
  assert.deepEqual(heard.map(({ id }) => id), expected.map(({ id }) => id));
}
