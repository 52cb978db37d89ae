// So many of a list at most, evenly from among them: always the last, and always what the server says itself.

import { isControl } from '../shared/sse.js';

export function sample(blocks, most) {
  const place = (index) => Math.floor((index * most) / blocks.length);
  return blocks.filter((block, index) => isControl(block) || place(index + 1) > place(index));
}
