// Reads an event stream that arrives in pieces of text, as freshet writes it: LF ends a line, an empty line an event. At
// ten thousand events a second it is cheaper to count most of them than to take them apart: split() gives whole blocks of
// text, and parse() is for those that somebody wants to see.

// A function from a piece of text to the whole blocks that it completes.
export function createSplitter() {
  let rest = '';
  return (text) => {
    rest += text;
    const blocks = [];
    let from = 0;
    for (let end; (end = rest.indexOf('\n\n', from)) >= 0; from = end + 2) {
      blocks.push(rest.slice(from, end));
    }
    rest = rest.slice(from);
    return blocks;
  };
}

// { id, type, data, retry }: those that the block has. Comments and fields of other names are left out.
export function parse(block) {
  const event = { type: 'message' };
  const data = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') {
      data.push(value);
    } else if (name === 'event') {
      event.type = value;
    } else if (name === 'id') {
      event.id = value;
    } else if (name === 'retry' && /^\d+$/.test(value)) {
      event.retry = Number(value);
    }
  }
  event.data = data.join('\n');
  return event;
}

// The server's own words (a gap, a greeting, figures) have no id and a type that begins so.
export const isControl = (block) => /(^|\n)event: freshet\./.test(block.slice(0, 200));
