// The secrets that the tests of a file use: every token, ticket, key, cookie and name of a connection that the harness
// makes, sends or is given. What servers print, their metrics and their problems may hold none of them: a test that sees
// one fails, whatever it is about.

import assert from 'node:assert/strict';

const shortest = 16; // anything shorter could stand in a log by accident
const secrets = new Map(); // to what it is

// Returns the value.
export function keepSecret(value, what) {
  if (value.length >= shortest) {
    secrets.set(value, what);
  }
  return value;
}

// A token, and the parts of it that are nobody else's: its beginning, because a log may cut it short, and its signature.
export function keepToken(text) {
  const [head, claims, signature] = text.split('.');
  if (claims?.length >= shortest) {
    keepSecret(`${head}.${claims.slice(0, shortest)}`, 'the beginning of a token');
  }
  keepSecret(signature ?? '', 'the signature of a token');
  return keepSecret(text, 'a token');
}

// The lines of a private key, but for those that say that it is one.
export function keepPrivateKey(pem) {
  pem.split('\n').filter((line) => !line.startsWith('-----')).forEach((line) => keepSecret(line, 'a line of a private key'));
}

const inHeads = [
  [/^authorization: *bearer +(\S+)/gim, keepToken],
  [/^cookie:.*?\bfreshet_token="?([^;"\s]+)/gim, keepToken],
  [/[?&]ticket=([^&\s]+)/g, (value) => keepSecret(value, 'a ticket')],
];

// What somebody sends: whoever makes a token in a way of their own need not say so.
export function noteSent(text) {
  for (const [pattern, keep] of inHeads) {
    for (const [, value] of text.matchAll(pattern)) {
      keep(value);
    }
  }
}

// What the server hands out.
export function noteAnswer(body) {
  for (const [, value] of body.matchAll(/"ticket":"([^"]+)"/g)) {
    keepSecret(value, 'a ticket');
  }
}

export function assertNoSecrets(text, where) {
  for (const [value, what] of secrets) {
    const at = text.indexOf(value);
    assert.ok(at < 0, at < 0 ? '' : `${where} tells ${what}: ${text.slice(Math.max(0, at - 100), at)}<here>`);
  }
}

// Of an answer, what is there for everyone to keep: problems end in the logs of clients, metrics in a database.
export function checkAnswer(headers, body) {
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/problem+json') || type.startsWith('text/plain; version=')) {
    assertNoSecrets(body, type.startsWith('text') ? '/metrics' : 'a problem');
  } else {
    noteAnswer(body);
  }
}
