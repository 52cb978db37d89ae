// Reads Markdown as far as the tests of the documentation need it: which pages there are, the blocks of code in one and
// the remark in front of each, commands in tables, headings and their anchors, links. It knows fenced blocks, and sees
// indented ones only to say that a command hides there.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from '../integration/harness/env.mjs';

const markdownIn = (folder) => readdirSync(path.join(root, folder))
  .filter((name) => name.endsWith('.md')).sort().map((name) => path.join(folder, name));

// Every page that is there for readers, as a path from the root of the tree.
export const pages = [...markdownIn('.'), ...markdownIn('docs'), ...markdownIn('docs/guides'), ...markdownIn('docs/proxies')];
export const designPages = markdownIn('docs/design');

export const readPage = (page) => readFileSync(path.join(root, page), 'utf8');

// "not run: needs systemd" of <!-- not run: needs systemd -->; undefined for any other line.
const remarkOf = (line) => line?.match(/^\s*<!-- (.*\S) -->\s*$/)?.[1];

function readFence(lines, start, page) {
  const [, indent, fence, language] = lines[start].match(/^(\s*)(`{3,})\s*(\S*)/);
  const remarks = [];
  for (let at = start - 1; remarkOf(lines[at]); at--) {
    remarks.unshift(remarkOf(lines[at]));
  }
  let end = start + 1;
  while (end < lines.length && lines[end].trim() !== fence) {
    end++;
  }
  const body = lines.slice(start + 1, end).map((line) => line.replace(indent, ''));
  return { end, block: { page, line: start + 1, language, remarks, lines: body, text: `${body.join('\n')}\n` } };
}

// The fenced blocks of a page, in order: { page, line, language, remarks, lines, text }. `line` counts from one.
export function blocksOf(page, text = readPage(page)) {
  const lines = text.split('\n');
  const blocks = [];
  for (let at = 0; at < lines.length; at++) {
    if (/^\s*```/.test(lines[at])) {
      const { end, block } = readFence(lines, at, page);
      blocks.push(block);
      at = end;
    }
  }
  return blocks;
}

// The text without its fenced blocks; lines keep their numbers.
export function proseOf(text) {
  let inside;
  return text.split('\n').map((line) => {
    const fence = line.match(/^\s*(`{3,})/)?.[1];
    if (inside ? fence === inside : fence) {
      inside = inside ? undefined : fence;
      return '';
    }
    return inside ? '' : line;
  });
}

// What a remark of this kind says: its reason, its names, or '' when it says no more; undefined when there is none.
export function remarked(block, kind) {
  const remark = block.remarks.find((text) => text === kind || text.startsWith(`${kind}:`));
  return remark?.slice(kind.length + 1).trim();
}

// Commands that stand in the rows of tables, as `code`: { page, line, text }. `\|` is how a table writes |.
export function tableCommandsOf(page, text = readPage(page)) {
  return proseOf(text).flatMap((line, at) => (line.startsWith('|')
    ? [...line.matchAll(/`((?:[a-z-]+ [^`|]*\\\| )?(?:curl|freshet|build\/freshet) [^`]+)`/g)]
      .map(([, command]) => ({ page, line: at + 1, text: command.replaceAll('\\|', '|') }))
    : []));
}

const isCommand = (line) => /^(\$ |(curl|freshet|build\/freshet|make|openssl|systemctl|cp|meson|tests\/run) )/.test(line);

// Indented blocks, and blocks of text, whose first line is a command: nothing would run those.
export function hiddenCommandsOf(page, text = readPage(page)) {
  const indented = proseOf(text).flatMap((line, at, all) => {
    const first = /^ {4}\S/.test(line) && all[at - 1].trim() === '' && !/^\s*([-*]|\d+\.) /.test(line);
    return first && isCommand(line.slice(4)) ? [`${page}:${at + 1}: ${line.trim()}`] : [];
  });
  const fenced = blocksOf(page, text).filter(({ language, lines }) => ['text', ''].includes(language) && isCommand(lines[0] ?? ''));
  return [...indented, ...fenced.map(({ line, lines }) => `${page}:${line}: ${lines[0]}`)];
}

// As GitHub makes them: lower case, spaces to hyphens, everything but letters, digits, hyphens and underscores left out.
export function slugOf(heading) {
  return heading.replace(/`/g, '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    .replace(/[^\p{L}\p{N}\- _]/gu, '').trim().replaceAll(' ', '-');
}

export function anchorsOf(text) {
  const seen = new Map();
  return new Set(proseOf(text).flatMap((line) => {
    const heading = line.match(/^#{1,6} (.*?)\s*#*$/)?.[1];
    if (heading === undefined) {
      return [];
    }
    const slug = slugOf(heading);
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return [times ? `${slug}-${times}` : slug];
  }));
}

// Links and pictures of the prose: { line, target }.
export function linksOf(text) {
  return proseOf(text).flatMap((line, at) =>
    [...line.replace(/`[^`]*`/g, '').matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)].map(([, target]) => ({ line: at + 1, target })));
}
