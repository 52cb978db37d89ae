// Installs and builds examples/nextjs as its README says, for its test and its picture. What has not changed is not done
// again: npm ci as long as the lock is the same, the build as long as the sources are. Nothing of it is ever half done
// without being noticed, for the stamps are written last.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, slow } from '../integration/harness/index.mjs';

export const folder = path.join(root, 'examples/nextjs');
export const environment = { NEXT_TELEMETRY_DISABLED: '1', npm_config_update_notifier: 'false' };

// What npm says of a registry that cannot be reached or does not have it. Anything else is a fault of the example.
const noRegistry = /ENOTFOUND|EAI_AGAIN|ECONN|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET|E40[1347]|E429|E5\d\d|fetch failed|network/;

const read = (name) => readFileSync(path.join(folder, name), 'utf8');
const holds = (name, text) => existsSync(path.join(folder, name)) && read(name) === text;

function npm(seconds, ...args) {
  const env = { ...process.env, ...environment, NODE_ENV: undefined };
  const { status, error, stdout, stderr } = spawnSync('npm', args, { cwd: folder, env, encoding: 'utf8', timeout: seconds * slow * 1000 });
  return { ok: status === 0, late: error?.code === 'ETIMEDOUT', printed: `${error ?? ''}${stdout}${stderr}` };
}

function nodeIsTooOld() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major < 20 || (major === 20 && minor < 9);
}

function install() {
  const lock = read('package-lock.json');
  if (holds('node_modules/.installed-from', lock)) {
    return false;
  }
  const { ok, late, printed } = npm(90, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--fetch-retries=1', '--loglevel=error');
  if (ok) {
    writeFileSync(path.join(folder, 'node_modules/.installed-from'), lock);
    return false;
  }
  if (late || noRegistry.test(printed)) {
    return 'NO NEXT.JS: the npm registry does not give it';
  }
  throw new Error(`npm ci in examples/nextjs:\n${printed}`);
}

// All that goes into the build, and what builds it.
function fingerprint() {
  const hash = createHash('sha256').update(process.version).update(read('package-lock.json'));
  const inside = readdirSync(path.join(folder, 'app'), { recursive: true }).map((name) => `app/${name}`);
  for (const name of [...readdirSync(folder), ...inside].sort()) {
    if (/\.(tsx?|css|json)$/.test(name) && name !== 'next-env.d.ts') {
      hash.update(`\n${name}\n`).update(read(name));
    }
  }
  return hash.digest('hex');
}

function build() {
  const sources = fingerprint();
  if (holds('.next/.built-from', sources)) {
    return;
  }
  const { ok, printed } = npm(300, 'run', 'build');
  if (!ok) {
    throw new Error(`npm run build in examples/nextjs:\n${printed}`);
  }
  writeFileSync(path.join(folder, '.next/.built-from'), sources);
}

// Makes it ready for `npm start`. Returns why that is not possible here, or false; throws when the example is broken.
export function makeNextjs() {
  const missing = nodeIsTooOld() ? 'NO NEXT.JS: it needs Node 20.9 or later' : install();
  if (missing) {
    console.error(`skipped, ${missing}`);
    return missing;
  }
  build();
  return false;
}
