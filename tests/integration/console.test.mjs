// The files of the console and the lab: who gets them, how they are kept, what they may do, and how large they are. What
// the pages show is tested in tests/browser.

import assert from 'node:assert/strict';
import http from 'node:http';
import { gunzipSync } from 'node:zlib';
import { serve, test } from './harness/index.mjs';
import { hasConsole } from './harness/console.mjs';

const skip = !hasConsole && 'built without the console';
const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// The answer as it comes, its body as bytes.
function get(server, path, headers = {}) {
  return new Promise((resolve, reject) => {
    http.get(new URL(path, server.url), { headers, agent: false }, async (response) => {
      const body = Buffer.concat(await response.toArray());
      resolve({ status: response.statusCode, headers: response.headers, body });
    }).on('error', reject);
  });
}

// The paths of what a page names, and of what that imports.
async function filesOf(server, page) {
  const found = new Set();
  const look = async (path, pattern) => {
    const { body } = await get(server, path, html);
    for (const [, name] of body.toString().matchAll(pattern)) {
      const at = new URL(name, new URL(path, server.url)).pathname;
      if (!found.has(at)) {
        found.add(at);
        await look(at, /(?:from|import)\s*"(\.\/[^"]+)"/g);
      }
    }
  };
  await look(page, /(?:href|src)="([^"#]+\.(?:js|css|svg))"/g);
  return [...found];
}

test('a browser gets the console at /, and everyone else a few lines of text', { skip }, async (t) => {
  const server = await serve(t);
  const page = await get(server, '/', html);
  assert.equal(page.status, 200);
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(page.headers.vary, /\bAccept\b/);
  assert.match(page.body.toString(), /<title>freshet/);
  for (const accept of ['*/*', 'text/plain', 'text/html;q=0']) {
    const text = await get(server, '/', { accept });
    assert.equal(text.headers['content-type'], 'text/plain; charset=utf-8');
    assert.match(text.headers.vary, /\bAccept\b/);
    assert.match(text.body.toString(), /curl -N/);
  }
});

test('every file is protected, compressed, and kept as long as it may be', { skip }, async (t) => {
  const server = await serve(t);
  const pages = ['/', '/lab'];
  const files = (await Promise.all(pages.map((page) => filesOf(server, page)))).flat();
  assert.ok(files.length >= 6, files.join());
  for (const path of [...pages, ...files, '/console/licences.txt']) {
    const plain = await get(server, path, html);
    const packed = await get(server, path, { ...html, 'accept-encoding': 'gzip, br' });
    assert.equal(plain.status, 200, path);
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(packed.body), plain.body);
    assert.notEqual(packed.headers.etag, plain.headers.etag);
    assert.equal(plain.headers['content-security-policy'], policy);
    assert.equal(plain.headers['x-content-type-options'], 'nosniff');
    assert.equal(plain.headers['referrer-policy'], 'no-referrer');
    assert.equal(plain.headers['cross-origin-opener-policy'], 'same-origin');
    const kept = /-[A-Z0-9]{8}\./.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache';
    assert.equal(plain.headers['cache-control'], kept);
    const again = await get(server, path, { ...html, 'if-none-match': plain.headers.etag });
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
    assert.equal(again.headers['content-security-policy'], policy);
  }
});

test('a file that is not there is 404, whatever its name', { skip }, async (t) => {
  const server = await serve(t);
  for (const path of ['/console/', '/console/x.js', '/console//etc/passwd', '/lab/']) {
    const { status } = await get(server, path);
    assert.equal(status, 404, path);
  }
});

test('the console has less than 150 KB, compressed', { skip }, async (t) => {
  const server = await serve(t);
  let size = 0;
  for (const path of ['/', ...await filesOf(server, '/')]) {
    size += (await get(server, path, { ...html, 'accept-encoding': 'gzip' })).body.length;
  }
  assert.ok(size < 150_000, `${size} bytes`);
  t.diagnostic(`${size} bytes`);
});
