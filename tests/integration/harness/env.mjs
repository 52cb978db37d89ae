// What the machine and the caller decide: which binary, how patient, how large.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as nodeTest } from 'node:test';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

// The program under test. Relative paths count from the root of the tree.
export const binary = path.resolve(root, process.env.FRESHET_BIN ?? 'build/freshet');

// Under a sanitizer everything takes longer: FRESHET_SLOW=3 triples each deadline.
export const slow = Number(process.env.FRESHET_SLOW ?? 1);

// The full numbers instead of what a small machine does in seconds.
export const big = process.env.FRESHET_BIG === '1';

// The deadline of any single wait, in milliseconds. Long, because it is only ever reached by a failure.
export const patience = 10_000 * slow;

// Why a test of compression cannot be made with this program, or false.
export const withoutCompression = () =>
  !/^zlib /m.test(execFileSync(binary, ['--version']).toString()) && 'built without zlib';

// Runs one test with a timeout of its own, so that nothing can hang the file.
export function test(name, options, fn) {
  if (typeof options === 'function') {
    [options, fn] = [{}, options];
  }
  return nodeTest(name, { ...options, timeout: (options.timeout ?? 60_000) * slow }, fn);
}

// Waits for a promise, but not for ever. `what` completes "timed out waiting for …".
export function within(promise, what, ms = patience) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out after ${ms} ms waiting for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Asks again and again, at short intervals, until `check` gives something true; returns that.
export async function until(check, what, ms = patience) {
  const deadline = Date.now() + ms;
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    const result = await check();
    if (result) {
      return result;
    }
    if (Date.now() > deadline) {
      throw new Error(`timed out after ${ms} ms waiting until ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
