// examples/shell: what is published arrives, once and in order, also when the server was away in between.

import assert from 'node:assert/strict';
import { binary, untilSubscribers } from '../integration/harness/index.mjs';
import { eventually, exampleTest, startFreshet, startProgram, without } from './harness.mjs';

const missing = without('curl', '--version');

const shell = (t, freshet, args, more = {}) =>
  startProgram(t, 'shell', args, { ...more, env: { FRESHET_URL: freshet.url, ...more.env } });

async function publish(t, freshet, args, { input, env } = {}) {
  const program = shell(t, freshet, ['./publish.sh', ...args], { env });
  program.child.stdin.end(input);
  assert.equal(await program.ended(), 0, program.printed);
  return JSON.parse(program.printed).id;
}

const untilPrinted = (program, text) => eventually(() => program.printed === text, () => program.printed);

exampleTest('shell: listen.sh prints what publish.sh publishes, and after a restart what it has missed', { needs: [missing], browser: false }, async (t) => {
  const freshet = await startFreshet(t);
  const listener = shell(t, freshet, ['./listen.sh', 'news']);
  await untilSubscribers(t, freshet.server, 1);
  await publish(t, freshet, ['news', 'one & two']);
  await publish(t, freshet, ['news'], { input: 'three\n\nfour: five\n', env: { EVENT: 'report' } });
  const before = 'one & two\nthree\n\nfour: five\n\n';
  await untilPrinted(listener, before);
  await freshet.restart((url) => publish(t, { url }, ['news', 'while it is away']));
  await untilPrinted(listener, `${before}while it is away\n`);
  await publish(t, freshet, ['news', 'after']);
  await untilPrinted(listener, `${before}while it is away\nafter\n`);
  await listener.stop('SIGTERM');
});

exampleTest('shell: load.sh publishes a line each time', { needs: [missing], browser: false }, async (t) => {
  const freshet = await startFreshet(t);
  const listener = shell(t, freshet, ['./listen.sh', 'load', 'earliest']);
  shell(t, freshet, ['./load.sh'], { env: { FRESHET: binary, PERIOD: '0.05' } });
  const lines = () => listener.printed.match(/^\d+[.,]\d+, \d+[.,]\d+, \d+[.,]\d+$/gm) ?? [];
  await eventually(() => lines().length >= 3, () => listener.printed);
});

exampleTest('shell: publish.sh asks again while the server is away, and its event is there once', { needs: [missing], browser: false }, async (t) => {
  const freshet = await startFreshet(t);
  const listener = shell(t, freshet, ['./listen.sh', 'news', 'earliest']);
  let late;
  await freshet.restart(() => {
    late = publish(t, freshet, ['news', 'patience']);
  });
  await late;
  await publish(t, freshet, ['news', 'end']);
  await untilPrinted(listener, 'patience\nend\n');
});
