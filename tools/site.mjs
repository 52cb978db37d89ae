// Makes a static site of the documentation: every page of README.md, docs/ and docs/design as HTML, beside the pictures
// and files that they link to. The Markdown is cmark-gfm's work; this adds a frame, the anchors of headings, and turns
// links to pages into links to their HTML; a link to what is not part of the site becomes text. No scripts, nothing from
// elsewhere. It writes over a site that it made before, and over nothing else.
//
// usage: node tools/site.mjs [FOLDER]      build/site unless told otherwise

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { designPages, linksOf, pages, slugOf } from '../tests/docs/markdown.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const target = path.resolve(process.argv[2] ?? path.join(root, 'build/site'));
const all = [...pages, ...designPages];

const style = `
:root { color-scheme: light dark; --text: #1a1c1e; --faint: #5c6670; --line: #d7dce1; --back: #fff; --code: #f3f5f7; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e3e6e9; --faint: #9aa5b0; --line: #363d44; --back: #14171a; --code: #1e2328; --link: #7ab7f5; }
}
body { margin: 0; color: var(--text); background: var(--back); font: 16px/1.55 system-ui, sans-serif; }
header, main, footer { max-width: 52rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; gap: 1.25rem; flex-wrap: wrap; padding-top: 1rem; padding-bottom: .6rem; border-bottom: 1px solid var(--line); }
header strong { margin-right: auto; }
footer { color: var(--faint); border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem; padding-bottom: 2rem; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; }
h1, h2, h3 { line-height: 1.25; margin: 2.2rem 0 .7rem; }
h1 { font-size: 1.8rem; margin-top: 1.6rem; } h2 { font-size: 1.3rem; } h3 { font-size: 1.05rem; }
code { font: .875em/1.5 ui-monospace, monospace; background: var(--code); padding: .1em .3em; border-radius: 3px; overflow-wrap: anywhere; }
pre { background: var(--code); padding: .8rem 1rem; border-radius: 6px; overflow-x: auto; }
pre code { padding: 0; background: none; overflow-wrap: normal; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .94em; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); }
img { max-width: 100%; background: #fff; }
`;

// The file of the site that stands for a page: a folder's README is its index.
const htmlOf = (page) => page.replace(/(^|\/)README\.md$/, '$1index.html').replace(/\.md$/, '.html');
const isFile = (file) => /\.\w+$/.test(file) && existsSync(path.join(root, file));
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const textOf = (html) => html.replace(/<[^>]*>/g, '').replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"');

// Where a link leads to on the site; undefined when it leads out of it.
function linkOf(page, href) {
  if (/^([a-z]+:|#)/.test(href)) {
    return href;
  }
  const [file, anchor] = href.split('#');
  const other = path.join(path.dirname(page), file);
  const found = [other, path.join(other, 'README.md')].find((each) => all.includes(each));
  const to = found ? htmlOf(found) : other === 'docs/design' ? 'docs/design/index.html' : other;
  const isThere = found || to !== other || (isFile(other) && other.startsWith('docs/'));
  return isThere ? `${path.relative(path.dirname(page), to)}${anchor ? `#${anchor}` : ''}` : undefined;
}

function bodyOf(page) {
  const html = execFileSync('cmark-gfm', ['--unsafe', '-e', 'table', path.join(root, page)], { encoding: 'utf8' });
  const seen = new Map();
  return html.replace(/<!--[^]*?-->\n?/g, '')
    .replace(/<h([1-6])>([^]*?)<\/h\1>/g, (_, level, inner) => {
      const slug = slugOf(textOf(inner));
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return `<h${level} id="${times ? `${slug}-${times}` : slug}">${inner}</h${level}>`;
    })
    .replace(/<table>[^]*?<\/table>/g, (table) => `<div class="table">${table}</div>`)
    .replace(/<a href="([^"]*)">([^]*?)<\/a>/g, (_, href, inner) => {
      const to = linkOf(page, textOf(href));
      return to === undefined ? inner : `<a href="${escape(to)}">${inner}</a>`;
    });
}

function frame(page, body) {
  const up = path.relative(path.dirname(page), '.') || '.';
  const title = textOf(body.match(/<h1[^>]*>([^]*?)<\/h1>/)?.[1] ?? 'freshet');
  const menu = [['Start', 'docs/index.html'], ['HTTP', 'docs/http.html'], ['Settings', 'docs/settings.html'],
    ['Operating', 'docs/operating.html'], ['Troubleshooting', 'docs/troubleshooting.html']];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}${title === 'freshet' ? '' : ' – freshet'}</title>
<link rel="stylesheet" href="${up}/style.css">
<header><strong><a href="${up}/index.html">freshet</a></strong>${menu.map(([name, to]) => `<a href="${up}/${to}">${name}</a>`).join('')}</header>
<main>
${body}</main>
<footer>${escape(page)}</footer>
</html>
`;
}

// Pictures, configurations and other files that pages of docs/ link to.
function copyLinked(page) {
  for (const { target: href } of linksOf(readFileSync(path.join(root, page), 'utf8'))) {
    const file = path.join(path.dirname(page), href.split('#')[0]);
    if (!/^[a-z]+:/.test(href) && isFile(file) && !file.endsWith('.md') && file.startsWith('docs/')) {
      cpSync(path.join(root, file), path.join(target, file));
    }
  }
}

// The pages of docs/design have no index of their own.
function designIndex() {
  const titles = designPages.map((page) => [path.basename(htmlOf(page)), readFileSync(path.join(root, page), 'utf8').match(/^# (.*)$/m)[1]]);
  return `<h1>Decisions</h1>\n<ul>\n${titles.map(([to, title]) => `<li><a href="${to}">${escape(title)}</a></li>`).join('\n')}\n</ul>\n`;
}

const mark = path.join(target, 'style.css');
if (existsSync(target) && !existsSync(mark)) {
  console.error(`site: ${target} is there, and no site that this made; name another folder, or remove it`);
  process.exit(1);
}
rmSync(target, { recursive: true, force: true });
for (const page of all) {
  const file = path.join(target, htmlOf(page));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, frame(page, bodyOf(page)));
  copyLinked(page);
}
writeFileSync(path.join(target, 'docs/design/index.html'), frame('docs/design/index.md', designIndex()));
writeFileSync(mark, style.trimStart());
console.log(`site: ${all.length} pages in ${path.relative(process.cwd(), target) || target}`);
