// Runs freshet doctor and reads what it found.

import assert from 'node:assert/strict';
import { slow } from './env.mjs';
import { run } from './process.mjs';

// How long the doctor waits for what should come at once. Only a middleman that holds something back makes it wait.
const wait = `${1500 * slow}ms`;

export async function doctor(t, ...args) {
  const { status, stdout, stderr } = await run(t, ['doctor', '--json', '--timeout', wait, ...args], { timeout: 60_000 * slow });
  assert.ok(stdout, stderr);
  const { result, findings } = JSON.parse(stdout);
  const of = (level) => findings.filter((finding) => finding.level === level).map(({ check }) => check);
  const get = (check) => findings.find((finding) => finding.check === check);
  return { status, result, findings, get, fails: of('fail'), warns: of('warn'), oks: of('ok'), skips: of('skip') };
}
