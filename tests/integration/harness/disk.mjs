// A directory for --data, and a disk that takes no more while a test wants it so.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metric } from './api.mjs';
import { until } from './env.mjs';

// Removed after the test.
export function dataDirectory(t) {
  const path = mkdtempSync(join(tmpdir(), 'freshet-data-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

// No file of the server may be written beyond this size: what a full disk does, without one. Whole again with
// 'unlimited'.
export function limitFiles(server, bytes) {
  execFileSync('prlimit', ['--pid', String(server.pid), `--fsize=${bytes}:`]);
}

// Two head pages, behind which everything is: nothing more can be stored.
export const noRoom = 8192;

// Whether the history is `fine`, `full` or `failing`: 1 or 0.
export const historyState = (t, server, name) => metric(t, server, 'freshet_history_state', `state="${name}"`);

export const untilStoring = (t, server) =>
  until(async () => (await historyState(t, server, 'fine')) === 1, 'events are stored again');
