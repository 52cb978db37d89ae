// A button that copies a text, and says that it did.

import { announce } from './dom.js';

// Where the page did not come by a safe way, browsers have no clipboard for it but this.
function copyBySelection(text) {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'unseen';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

// `text()` gives what is to be copied.
export function useCopyButton(button, text) {
  const label = button.textContent;
  button.addEventListener('click', async () => {
    const done = await copy(text());
    button.focus();
    button.textContent = done ? 'Copied' : 'Not copied';
    announce(done ? 'Copied' : 'The browser did not let it be copied');
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}
