// Asks for a token: by the button, and by itself the first time that the server wants one.

import { setToken, token } from './session.js';

export function useTokenDialog(button, dialog) {
  const form = dialog.querySelector('form');
  const field = dialog.querySelector('input');
  let asked = false;

  const open = () => {
    field.value = token() ?? '';
    dialog.showModal();
    field.focus();
  };
  const keep = (text) => {
    dialog.close();
    setToken(text);
  };

  button.addEventListener('click', open);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keep(field.value.trim());
  });
  dialog.querySelector('.forget').addEventListener('click', () => keep(''));
  dialog.querySelector('.cancel').addEventListener('click', () => dialog.close());
  addEventListener('tokenwanted', () => {
    button.hidden = false;
    if (!asked && !dialog.open) {
      asked = true;
      open();
    }
  });
  button.hidden = !token();
}
