// The command that does what the form does, to be pasted into a shell.

import { token } from './session.js';

// In single quotes nothing means anything but a single quote.
const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function curlCommand(path, data) {
  const url = new URL(path, new URL('.', location.href.replace(/#.*/, ''))).href;
  const bearer = token() ? ' -H "Authorization: Bearer $TOKEN"' : '';
  return `curl${bearer} --data-raw ${quote(data)} \\\n  ${/[?&*]/.test(url) ? quote(url) : url}`;
}
