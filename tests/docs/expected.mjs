// Compares what a command printed with what the page shows. What is different each time is written in the page as an
// example: an id, a name, a date. The same example stands for the same value all over the page, and the commands that
// come later use the value. `…` stands for anything within a line, and alone on a line for any lines.

const examples = [
  /\b\d{13}-\d+\b/, // an id
  /\b[0-9a-f]{34}\b/, // the name of a stream
  /\beyJ[\w-]+\.[\w-]+\.[\w-]+/, // a token
  /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\b/,
  /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/,
];
const anyExample = new RegExp(examples.map((pattern) => pattern.source).join('|'), 'g');
const same = (text) => examples.find((pattern) => new RegExp(`^(?:${pattern.source})$`).test(text)).source;
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

export class Examples {
  constructor() {
    this.values = new Map();
  }

  // The command with the values that its examples got.
  resolve(text) {
    return text.replace(anyExample, (example) => this.values.get(example) ?? example);
  }

  #pattern(lines) {
    const names = [];
    const part = (text) => text.split('…').map(escape).join('.*');
    const lineOf = (line) => {
      let pattern = '';
      let from = 0;
      for (const { 0: example, index } of line.matchAll(anyExample)) {
        pattern += part(line.slice(from, index));
        from = index + example.length;
        const place = names.indexOf(example);
        if (this.values.has(example)) {
          pattern += escape(this.values.get(example));
        } else if (place >= 0) {
          pattern += `\\${place + 1}`;
        } else {
          names.push(example);
          pattern += `(${same(example).replaceAll('(?<', '(?:<')})`;
        }
      }
      return `${pattern}${part(line.slice(from))}[ \\t]*\\n`;
    };
    const body = lines.map((line) => (line.trim() === '…' ? '(?:.*\\n)*?' : lineOf(line))).join('');
    return { names, body };
  }

  // Whether the text is what the lines show, or (`more`) begins so; then the examples in them have their values.
  matches(lines, text, { more = false } = {}) {
    const { names, body } = this.#pattern(lines);
    const plain = text.replaceAll('\r\n', '\n'); // a head of HTTP
    const whole = plain === '' || plain.endsWith('\n') ? plain : `${plain}\n`;
    const match = new RegExp(`^${body}${more ? '' : '\\n*$'}`).exec(whole);
    const found = match?.slice(1) ?? [];
    // Two examples that look different stand for two values.
    if (!match || new Set([...found, ...this.values.values()]).size < found.length + this.values.size) {
      return false;
    }
    names.forEach((name, at) => this.values.set(name, found[at]));
    return true;
  }
}
