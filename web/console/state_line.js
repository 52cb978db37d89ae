// Whether the figures are live, in a word and a dot: said aloud when it changes.

import { announce, setText } from '../shared/dom.js';
import { live } from './live.js';

const words = {
  connecting: ['Connecting', 'state waiting soft'],
  open: ['Live', 'state good'],
  waiting: ['Reconnecting', 'state waiting warn'],
  refused: ['Not allowed', 'state bad'],
};

export function useStateLine(element) {
  let told = 'connecting';
  const show = () => {
    // Between two tries it connects for a moment; that is no news.
    const state = live.state === 'connecting' && told === 'waiting' ? 'waiting' : live.state;
    const [word, style] = words[state];
    setText(element, word);
    element.className = style;
    element.title = live.problem?.message ?? '';
    if (state !== told && state !== 'connecting') {
      announce(`Figures: ${word}`);
    }
    told = state;
  };
  live.addEventListener('state', show);
  show();
}
