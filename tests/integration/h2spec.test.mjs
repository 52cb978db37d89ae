// h2spec, the conformance test of HTTP/2 that others wrote (a Go module), against an answer that ends. It runs where
// h2spec is, or where Go is and can fetch it; elsewhere the test says why it was skipped.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { certificate, folder, root, serve, test, tlsServer, within } from './harness/index.mjs';

const module = 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible';

// What h2spec says on a port that speaks HTTP/1.1 as well: there this is no broken preface but a broken HTTP/1.1
// request, and it gets the answer of one, and a close.
const elsewhere = ['Sends invalid connection preface'];

function runs(command, args, options) {
  return spawnSync(command, args, { encoding: 'utf8', timeout: 240_000, ...options }).status === 0;
}

// Where it is, or why it is not there.
function findH2spec() {
  if (process.env.H2SPEC || runs('h2spec', ['--version'])) {
    return { command: process.env.H2SPEC ?? 'h2spec' };
  }
  if (!runs('go', ['version'])) {
    return { missing: 'neither h2spec nor Go is here' };
  }
  const bin = path.join(root, 'build', 'go');
  mkdirSync(bin, { recursive: true });
  const command = path.join(bin, 'h2spec');
  const there = runs(command, ['--version']) || runs('go', ['install', module], { env: { ...process.env, GOBIN: bin } });
  return there ? { command } : { missing: `Go cannot install ${module}` };
}

function output(t, command, args) {
  const child = spawn(command, args);
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  return within(new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(text));
  }), 'h2spec', 100_000);
}

// Runs it whole; only `excused` may fail.
async function conform(t, server, args, excused) {
  const { command, missing } = findH2spec();
  if (missing) {
    t.skip(missing);
    return;
  }
  const text = await output(t, command, ['-h', '127.0.0.1', '-p', String(server.port), '-P', '/', ...args]);
  const [, all, passed] = text.match(/^(\d+) tests, (\d+) passed/m) ?? assert.fail(text);
  const failed = [...text.split('Failures:').at(-1).matchAll(/× \d+: (.*)/g)].map((match) => match[1]);
  t.diagnostic(`${passed} of ${all} passed`);
  assert.deepEqual(failed.filter((name) => !excused.includes(name)), [], text.split('Failures:').at(-1));
  assert.ok(Number(all) >= 140 && Number(passed) >= Number(all) - excused.length, text);
}

test('h2spec, with prior knowledge', { timeout: 400_000 }, async (t) => conform(t, await serve(t), [], elsewhere));

test('h2spec, over TLS', { timeout: 400_000 }, async (t) => {
  const server = await serve(t, ...tlsServer(certificate(folder(t), 'server')));
  await conform(t, server, ['-t', '-k'], []);
});
