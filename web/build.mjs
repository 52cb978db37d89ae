// Bundles the console and the lab, and writes them as a C file for the program: each asset as it is and compressed.
// Every file but the pages themselves has a hash of its content in its name, so that browsers may keep it for ever.
// Nothing that it writes asks another origin for anything.
//
// usage: node web/build.mjs OUT.c      also writes OUT.c.d, which names everything that was read, for Ninja

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const web = path.dirname(fileURLToPath(import.meta.url));

// The path of each page, and its source. What a page needs it names in href and src, relative to itself.
const pages = { '/': 'console/index.html', '/lab': 'lab/index.html' };

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

const reference = /\b(href|src)="(?!#|data:|[a-z]+:|\/)([^"]+\.(?:js|css|svg))"/g;

// The sources that the pages name.
function entries() {
  const found = Object.values(pages).flatMap((page) => {
    const html = readFileSync(path.join(web, page), 'utf8');
    return [...html.matchAll(reference)].map(([, , file]) => path.join(web, path.dirname(page), file));
  });
  return [...new Set(found)];
}

async function bundle(folder) {
  const result = await build({
    entryPoints: entries(),
    outdir: folder,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.svg': 'copy' },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none', // see notices()
    metafile: true,
    absWorkingDir: web,
    logLevel: 'warning',
  });
  return result.metafile;
}

// From the path of a source to the name of what was made of it.
function namesOf(metafile) {
  const names = new Map();
  for (const [output, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint) {
      names.set(path.resolve(web, entryPoint), path.basename(output));
    }
  }
  return names;
}

// Names are relative, so that a proxy may serve all of it below a path of its own. Pages are at one level.
function page(file, names) {
  const html = readFileSync(path.join(web, file), 'utf8');
  return html.replace(reference, (_, attribute, target) => {
    const name = names.get(path.resolve(web, path.dirname(file), target));
    return `${attribute}="console/${name}"`;
  });
}

// What the licences of the modules ask for.
function notices(metafile) {
  const folders = Object.keys(metafile.inputs)
    .map((input) => input.match(/^(node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1])
    .filter(Boolean);
  return [...new Set(folders)].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(path.join(web, folder, 'package.json'), 'utf8'));
    return `${name} ${version}\n\n${readFileSync(path.join(web, folder, 'LICENSE'), 'utf8')}\n`;
  }).join('\n') || 'It has no modules of others.\n';
}

function collect(folder, metafile) {
  const names = namesOf(metafile);
  const assets = Object.keys(metafile.outputs).map((output) => {
    const name = path.basename(output);
    return { path: `/console/${name}`, type: types[path.extname(name)], hashed: true, content: readFileSync(path.join(folder, name)) };
  });
  for (const [at, file] of Object.entries(pages)) {
    assets.push({ path: at, type: types['.html'], hashed: false, content: Buffer.from(page(file, names)) });
  }
  assets.push({ path: '/console/licences.txt', type: types['.txt'], hashed: false, content: Buffer.from(notices(metafile)) });
  return assets.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function bytes(name, content) {
  const lines = [];
  for (let at = 0; at < content.length; at += 32) {
    lines.push(content.subarray(at, at + 32).join(','));
  }
  return `static const unsigned char ${name}[] = {\n${lines.join(',\n')}};\n`;
}

function row({ path: at, type, hashed, content }, index) {
  const tag = createHash('sha256').update(content).digest('base64url').slice(0, 16);
  return `    {"${at}", "${type}", "\\"${tag}\\"", "\\"${tag}-gz\\"", ${hashed},\n` +
    `     {(const char *)plain_${index}, sizeof(plain_${index})},\n` +
    `     {(const char *)gzip_${index}, sizeof(gzip_${index})}},\n`;
}

function source(assets) {
  const data = assets.map(({ content }, index) =>
    bytes(`plain_${index}`, content) + bytes(`gzip_${index}`, gzipSync(content, { level: 9 })));
  return '// Written by web/build.mjs.\n#include "server/assets.h"\n\n' + data.join('') +
    `\nconst struct asset assets[] = {\n${assets.map(row).join('')}};\n` +
    `const size_t assets_count = ${assets.length};\n`;
}

function dependencies(out, metafile) {
  const inputs = Object.keys(metafile.inputs).map((input) => path.resolve(web, input));
  const html = Object.values(pages).map((file) => path.join(web, file));
  return `${out}: ${[...inputs, ...html].map((file) => file.replaceAll(' ', '\\ ')).join(' ')}\n`;
}

const [out] = process.argv.slice(2);
const folder = path.resolve(path.dirname(out), 'assets');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const metafile = await bundle(folder);
writeFileSync(out, source(collect(folder, metafile)));
writeFileSync(`${out}.d`, dependencies(out, metafile));
