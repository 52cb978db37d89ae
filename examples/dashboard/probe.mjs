// Measures this machine once a second and publishes what it sees to dashboard/<name>. Run one on each machine; they know
// neither each other nor who watches. While freshet is away the samples wait here, and follow when it is back.
//
// usage: node probe.mjs [NAME]

import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const freshet = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
const token = process.env.FRESHET_TOKEN; // one that may publish to `dashboard/*`, if freshet asks for it
const period = Number(process.env.PERIOD ?? 1000);
const patience = 600; // samples that wait for a freshet that is away; beyond it the oldest go

function processorTimes() {
  const sum = { busy: 0, all: 0 };
  for (const { times } of os.cpus()) {
    const all = Object.values(times).reduce((a, b) => a + b);
    sum.all += all;
    sum.busy += all - times.idle;
  }
  return sum;
}

function* samples(host) {
  let before = processorTimes();
  for (let n = 1; ; n++) {
    const now = processorTimes();
    const cpu = now.all > before.all ? 100 * (now.busy - before.busy) / (now.all - before.all) : 0;
    before = now;
    yield {
      host,
      n,
      at: Date.now(),
      cpu: Math.round(10 * cpu) / 10,
      memory: Math.round(1000 * (1 - os.freemem() / os.totalmem())) / 10,
      load: Math.round(100 * os.loadavg()[0]) / 100,
    };
  }
}

// A batch is a JSON array: one sample usually, more after a break. Its key is made once, so asking again is harmless.
async function publish(batch) {
  const answer = await fetch(`${freshet}/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': `"${batch.key}"`, ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(batch.events),
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) {
    throw new Error(`freshet says ${answer.status}: ${await answer.text()}`);
  }
}

export async function measure(name) {
  const waiting = [];
  let batch;
  let sending = false;
  async function send() {
    sending = true;
    try {
      while (batch || waiting.length > 0) {
        batch ??= { key: randomUUID(), events: waiting.splice(0) };
        await publish(batch);
        batch = undefined;
      }
    } catch (error) {
      if (!error.cause && error.name !== 'TimeoutError') { // otherwise freshet is away: with the next sample we try again
        console.error(error);
      }
    }
    sending = false;
  }
  for (const data of samples(name)) {
    waiting.push({ topic: `dashboard/${name}`, event: 'sample', data });
    waiting.splice(0, waiting.length - patience);
    if (!sending) {
      send();
    }
    await pause(period);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await measure(process.argv[2] ?? os.hostname());
}
