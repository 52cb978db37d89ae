// tools/deps: says what it would install, through each package manager, and is silent when there is nothing to do.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../integration/harness/env.mjs';

const basics = ['sh', 'cat', 'grep', 'sed', 'tr', 'sort', 'head', 'find', 'env', 'mktemp', 'rm', 'dirname'];

function which(name) {
  return spawnSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
}

// A machine that has the basics, and the commands in `fakes`.
function machine(t, fakes) {
  const bin = mkdtempSync(path.join(tmpdir(), 'deps-'));
  t.after(() => rmSync(bin, { recursive: true }));
  for (const name of basics) {
    symlinkSync(which(name), path.join(bin, name));
  }
  for (const [name, script] of Object.entries({ id: 'echo 0', ...fakes })) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return (...args) => {
    const env = { PATH: bin, TMPDIR: tmpdir() };
    return spawnSync('/bin/sh', [path.join(root, 'tools/deps'), ...args], { encoding: 'utf8', env });
  };
}

test('deps names the packages of each manager', (t) => {
  const expected = {
    'apt-get': /apt-get install -y .*build-essential.*cmocka.*libcurl4-openssl-dev.*liblmdb-dev.*libnghttp2-dev.*libssl-dev.*libuv1-dev.*meson/,
    dnf: /dnf install -y .*libnghttp2-devel.*libuv-devel.*lmdb-devel.*openssl-devel/,
    apk: /apk add .*build-base.*libuv-dev.*lmdb-dev.*nghttp2-dev.*openssl-dev/,
    brew: /brew install .*libuv.*lmdb.*nghttp2.*openssl@3/,
  };
  for (const [manager, pattern] of Object.entries(expected)) {
    const deps = machine(t, { [manager]: 'exit 9' });
    const { status, stderr } = deps('--dry-run', 'build');
    assert.match(stderr, pattern);
    assert.equal(status, 0, stderr);
  }
});

test('deps names the proxies that freshet is tested behind', (t) => {
  const light = machine(t, { 'apt-get': 'exit 9', haproxy: '' })('--dry-run', 'proxies').stderr;
  // What this machine has in /usr/sbin is not asked for.
  const wanted = { 'nginx-light': 'nginx', caddy: 'caddy', varnish: 'varnishd' };
  for (const [name, program] of Object.entries(wanted)) {
    assert.equal(light.includes(name), !existsSync(`/usr/sbin/${program}`), `${name} in ${JSON.stringify(light)}`);
  }
  assert.doesNotMatch(light, /haproxy/);
});

test('deps asks only for what is missing', (t) => {
  const here = { cc: '', meson: '', ninja: '', 'pkg-config': 'test "$2" != libuv', node: 'echo 20', npm: '' };
  const { stderr } = machine(t, { dnf: 'exit 9', ...here })('--dry-run', 'build');
  assert.match(stderr, /dnf install -y libuv-devel ?\n$/);
});

test('deps asks for OpenSSL when the one that is there is older than 3', (t) => {
  const here = { cc: '', meson: '', ninja: '', 'pkg-config': 'test "$2" != "openssl >= 3.0"', node: 'echo 20', npm: '' };
  const { stderr } = machine(t, { 'apt-get': 'exit 9', ...here })('--dry-run', 'build');
  assert.match(stderr, /apt-get install -y .*libssl-dev ?\n$/);
});

test('deps is silent when all is there', (t) => {
  const here = { cc: '', meson: '', ninja: '', 'pkg-config': '', node: 'echo 22', npm: '', openssl: '', curl: '', chromium: '' };
  const { status, stdout, stderr } = machine(t, { 'apt-get': 'exit 9', ...here })('build', 'test');
  assert.equal(stdout + stderr, '');
  assert.equal(status, 0);
});

test('deps uses sudo when it is not root, and says what to run when there is none', (t) => {
  const user = { id: 'echo 1000', apk: 'exit 9' };
  assert.match(machine(t, { ...user, sudo: '' })('--dry-run').stderr, /sudo apk add/);
  const { status, stderr } = machine(t, user)('--dry-run');
  assert.match(stderr, /As root, run: apk add/);
  assert.equal(status, 1);
});

test('deps fails when a package did not bring what is needed', (t) => {
  const { status, stderr } = machine(t, { apk: 'exit 0' })('build');
  assert.match(stderr, /missing: meson/);
  assert.equal(status, 1);
});

test('deps goes on without a browser, and says so', (t) => {
  const here = { cc: '', meson: '', ninja: '', 'pkg-config': '', node: 'echo 20', npm: '', openssl: '', curl: '', apk: 'exit 1' };
  const { status, stderr } = machine(t, here)('build', 'test');
  assert.match(stderr, /browser tests are skipped/);
  assert.equal(status, 0, stderr);
});

test('deps builds without Node, and says so', (t) => {
  const here = { cc: '', meson: '', ninja: '', 'pkg-config': '', apk: 'exit 1' };
  const { status, stderr } = machine(t, here)('build');
  assert.match(stderr, /without the console/);
  assert.equal(status, 0, stderr);
});

test('deps refuses an old node', (t) => {
  const here = { node: 'echo 12', npm: '', openssl: '', curl: '', chromium: '', apk: 'exit 0' };
  const { status, stderr } = machine(t, here)('test');
  assert.match(stderr, /node 20 or later/);
  assert.equal(status, 1);
});

test('deps goes on without the languages of the examples, and says so', (t) => {
  const { status, stderr } = machine(t, { 'apt-get': 'exit 1', go: '' })('examples');
  assert.match(stderr, /install -y --no-install-recommends php-cli\n/);
  assert.match(stderr, /without php, its example is not tested/);
  assert.doesNotMatch(stderr, /golang/);
  assert.equal(status, 0, stderr);
});
