// Divides a block of commands into what a shell would take one by one, each with the output that the page shows for it.
// A block of `sh` has commands only; one of `console` has commands behind `$ `, and output.

import { spawnSync } from 'node:child_process';

// A command that ends in the middle of a quotation, a list or a here-document goes on in the next line.
function isWhole(text) {
  const marker = text.match(/<<-?\s*['"]?(\w+)['"]?/)?.[1];
  if (marker && !new RegExp(`^\\s*${marker}$`, 'm').test(text)) {
    return false;
  }
  return !/\\$/.test(text) && (!/['"({]|\b(do|then)\b/.test(text) || spawnSync('bash', ['-n'], { input: text }).status === 0);
}

const isComment = (text) => /^\s*(#.*)?$/.test(text);

function readCommands(block) {
  const statements = [];
  let text = '';
  block.lines.forEach((line, at) => {
    text = text ? `${text}\n${line}` : line;
    if (isWhole(text)) {
      isComment(text) || statements.push({ line: block.line + 1 + at, text });
      text = '';
    }
  });
  return text ? [...statements, { line: block.line, text }] : statements;
}

function readConsole(block) {
  const statements = [];
  let open = false;
  block.lines.forEach((line, at) => {
    if (!open && line.startsWith('$ ')) {
      statements.push({ line: block.line + 1 + at, text: line.slice(2), shown: [] });
      open = !isWhole(line.slice(2));
    } else if (open) {
      const last = statements.at(-1);
      last.text += `\n${line}`;
      open = !isWhole(last.text);
    } else {
      statements.at(-1)?.shown.push(line);
    }
  });
  return statements;
}

// What a command is: it starts a server, it listens until it is stopped, or it ends.
export function kindOf(text) {
  if (/^(\w+=\S+ )*(build\/)?freshet serve\b/.test(text) && !/--(check|help)|serve -n\b/.test(text)) {
    return 'server';
  }
  if (/[?&]wait=[1-9]/.test(text) && !/last(_event_id)?=/.test(text)) {
    return 'listener'; // a poll, until there is something
  }
  const streams = /\bcurl\b(?! -X POST).* (-\w*N\w*|--no-buffer)\b/.test(text) || /\bfreshet sub\b/.test(text);
  return streams && !/--count|--no-reconnect|--help|--max-time|\| head|\| jq|wait=0|limit=/.test(text) ? 'listener' : 'command';
}

// [{ line, text, shown }]: `shown` is the output of the page, undefined where it shows none.
export function statementsOf(block) {
  return block.language === 'console' ? readConsole(block) : readCommands(block);
}
