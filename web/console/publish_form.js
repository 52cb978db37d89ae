// Publishing to a topic by hand, and the command that does the same.

import { announce, make, setText } from '../shared/dom.js';
import { useCopyButton } from '../shared/copy.js';
import { publish, publishPath } from './api.js';
import { curlCommand } from './curl.js';

function field(name, id, input) {
  return make('div', { class: 'field' }, make('label', { for: id }, name), input);
}

export function createPublishForm(topic) {
  const data = make('textarea', { id: 'data', rows: '4', spellcheck: 'false' });
  const type = make('input', { id: 'type', autocomplete: 'off', spellcheck: 'false', placeholder: 'message' });
  const keyed = make('input', { id: 'key', autocomplete: 'off', spellcheck: 'false', placeholder: 'none' });
  const button = make('button', { type: 'submit', class: 'main' }, 'Publish');
  const said = make('span', { class: 'soft clip', role: 'status' });
  const command = make('code');
  const copy = make('button', { type: 'button', class: 'plain' }, 'Copy');
  data.value = 'hello';

  const parameters = () => ({ event: type.value, key: keyed.value });
  const showCommand = () => setText(command, curlCommand(publishPath(topic, parameters()), data.value));

  async function send(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      const { id } = await publish(topic, { data: data.value, ...parameters() });
      said.className = 'soft clip';
      setText(said, `published as ${id}`);
    } catch (error) {
      said.className = 'bad';
      setText(said, error.message);
      announce(error.message);
    } finally {
      button.disabled = false;
    }
  }

  const form = make('form', { class: 'body fields', onsubmit: send, oninput: showCommand },
    field('Data', 'data', data),
    make('div', { class: 'pair' }, field('Type', 'type', type), field('Key', 'key', keyed)),
    make('div', { class: 'buttons' }, button, said),
    make('div', { class: 'field' },
      make('div', { class: 'with-button' }, make('span', { class: 'soft' }, 'The same from a shell'), copy),
      make('pre', { class: 'code', tabindex: '0', 'aria-label': 'The command' }, command)));
  useCopyButton(copy, () => command.textContent);
  data.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      form.requestSubmit();
    }
  });
  addEventListener('tokenchange', showCommand);
  showCommand();
  return {
    element: make('section', { class: 'card', 'aria-label': 'Publish' }, make('header', {}, make('h2', {}, 'Publish')), form),
    end: () => removeEventListener('tokenchange', showCommand),
  };
}
