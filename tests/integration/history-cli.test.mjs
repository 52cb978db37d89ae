// freshet history: what goes out comes in again, what is wrong is told and left alone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { postJson, publish, run, serve, slow, start, test, until } from './harness/index.mjs';

function folder(t) {
  const name = mkdtempSync(path.join(tmpdir(), 'freshet-history-'));
  t.after(() => rmSync(name, { recursive: true }));
  return name;
}

const history = (t, action, dir, args = [], options) => run(t, ['history', action, '--data', dir, ...args], options);

async function fine(promise) {
  const result = await promise;
  assert.equal(result.status, 0, result.stderr);
  return result.stdout;
}

async function fails(promise, status, pattern) {
  const result = await promise;
  assert.equal(result.status, status, result.stderr);
  assert.match(result.stderr, pattern);
  return result;
}

// Events that use every member, three to a millisecond.
function events(count, from = 1_700_000_000_000) {
  return Array.from({ length: count }, (_, i) => ({
    at: `${from + Math.floor(i / 3)}-${i % 3}`,
    ...(i % 17 === 16 ? { topics: ['a', `b/${i % 4}`] } : { topic: `room/${i % 5}` }),
    ...(i % 13 === 0 && { event: 'tick' }),
    ...(i % 7 === 0 && { id: `own ${i} \u{1f30a}` }),
    ...(i % 11 === 0 && { retry: i }),
    data: i % 19 === 0 ? '' : `caf\u00e9 "${i}"\nline two\t\u0001`,
  }));
}

const lines = (items) => items.map((item) => `${JSON.stringify(item)}\n`).join('');
const parse = (text) => text.split('\n').slice(0, -1).map((line) => JSON.parse(line));
const exported = async (t, dir, args) => fine(history(t, 'export', dir, args));

async function filled(t, items = events(200), dir = path.join(folder(t), 'data')) {
  await fine(history(t, 'import', dir, [], { input: lines(items) }));
  return dir;
}

test('without an action, or with a mistyped one, it says what there is', async (t) => {
  await fails(run(t, ['history']), 2, /export, import, check, compact/);
  await fails(run(t, ['history', 'exprot']), 2, /did you mean freshet history export\?/);
  await fails(run(t, ['history', '--data', 'x', 'export']), 2, /say what to do/);
  await fails(run(t, ['help', 'history', 'chek']), 2, /did you mean freshet history check\?/);
  await fails(run(t, ['history', 'export']), 2, /--data DIR/);
  await fails(run(t, ['history', 'export', '--data', 'x', 'y']), 2, /argument too many/);
  await fails(run(t, ['history', 'compact', '--topic', 'x']), 2, /--topic/);
  for (const args of [['history', '--help'], ['help', 'history']]) {
    const { status, stdout } = await run(t, args);
    assert.equal(status, 0);
    assert.match(stdout, /export[^]*import[^]*check[^]*compact/);
  }
  assert.match((await run(t, ['history', 'export', '--help'])).stdout, /--last-event-id/);
  assert.match((await run(t, ['help', 'history', 'import'])).stdout, /--keep-going/);
  assert.match((await run(t, ['history', '--help-man'])).stdout, /FRESHET HISTORY EXPORT[^]*--|FRESHET HISTORY EXPORT[^]*\\-\\-/);
});

test('what is exported and imported is exported with the same bytes', async (t) => {
  const items = events(500);
  const first = await filled(t, items);
  const text = await exported(t, first);
  assert.deepEqual(parse(text), items);
  const second = path.join(folder(t), 'new');
  const { stderr } = await history(t, 'import', second, ['-'], { input: text });
  assert.match(stderr, /500 events stored/);
  assert.equal(await exported(t, second), text);
  assert.match(await fine(history(t, 'check', second)), /events +500\n[^]*no damage was found/);
  assert.equal(statSync(second).mode & 0o777, 0o700);
});

test('a server takes an export, item by item', async (t) => {
  const text = await exported(t, await filled(t));
  const server = await serve(t);
  const response = await postJson(t, server, text, 'application/x-ndjson');
  assert.equal(response.status, 200);
  const answers = response.json();
  assert.equal(answers.length, 200);
  assert.deepEqual(answers.filter((answer) => !answer.id), []);
  const [first] = parse(text);
  assert.equal(answers[0].id, first.id, "a publisher's id stays");
  assert.notEqual(answers[1].id, parse(text)[1].at, 'the place is a new one');
});

test('an export can be narrowed', async (t) => {
  const items = events(200);
  const dir = await filled(t, items);
  const topics = (item) => item.topics ?? [item.topic];
  const at = (...args) => exported(t, dir, args).then(parse);
  assert.deepEqual(await at('--topic', 'room/1'), items.filter((item) => topics(item).includes('room/1')));
  assert.deepEqual(await at('-t', 'b/*', '-t', 'room/2'),
    items.filter((item) => topics(item).some((name) => name === 'room/2' || name.startsWith('b/'))));
  assert.deepEqual(await at('--limit', '3'), items.slice(0, 3));
  assert.deepEqual(await at('--since', '1700000000010', '--limit', '2'), items.slice(30, 32));
  assert.deepEqual(await at('--since', '2023-11-14T22:13:20.010Z', '-n1'), items.slice(30, 31));
  assert.deepEqual(await at('--last-event-id', items[50].at, '-n1'), items.slice(51, 52));
  assert.deepEqual(await at('--last-event-id', items[70].id), items.slice(71));
  assert.deepEqual(await at('--topic', 'nobody'), []);
  await fails(history(t, 'export', dir, ['--last-event-id', 'nobody']), 1, /no event has the id nobody/);
  await fails(history(t, 'export', dir, ['--since', 'yesterday']), 2, /--since/);
  await fails(history(t, 'export', dir, ['--topic', '**/x']), 2, /--topic/);
});

test('an export into a file is there when it is whole', async (t) => {
  const dir = await filled(t);
  const place = folder(t);
  const name = path.join(place, 'events.ndjson');
  const { stderr, status, stdout } = await history(t, 'export', dir, ['-o', name, '--progress']);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /200 events, .* MiB, \d+ events\/s, 100 %/);
  assert.equal(readFileSync(name, 'utf8'), await exported(t, dir));
  await fails(history(t, 'export', dir, ['-o', path.join(place, 'none'), '--last-event-id', 'x']), 1, /no event/);
  await fails(history(t, 'export', dir, ['-o', path.join(place, 'no', 'such')]), 1, /cannot be written/);
  assert.deepEqual(readdirSync(place), ['events.ndjson']);
  assert.equal((await history(t, 'export', dir, ['-o', '/dev/full'])).status, 1);
  assert.equal((await history(t, 'export', dir, ['-o', '/dev/null'])).status, 0);
});

test('a reader that goes away ends an export quietly', async (t) => {
  const dir = await filled(t, events(5000));
  const program = start(t, ['history', 'export', '--data', dir]);
  await program.output(/\n/);
  program.child.stdout.destroy();
  assert.equal(await program.exit(), 0);
  assert.equal(program.stderr, '');
});

test('places are kept when there is nothing newer, and given anew otherwise', async (t) => {
  const items = events(30);
  const dir = await filled(t, items);
  const again = await history(t, 'import', dir, [], { input: lines(items) });
  assert.equal(again.status, 0);
  assert.match(again.stderr, /0 events stored[^]*30 were there already/);

  const other = [{ at: items[0].at, topic: 'other', data: 'late' }, { at: '1800000000000-0', topic: 'other', data: 'new' }];
  const mixed = await history(t, 'import', dir, [], { input: lines([other[0]]) });
  assert.equal(mixed.status, 0);
  assert.match(mixed.stderr, /1 of them got new ids/);
  const all = parse(await exported(t, dir));
  assert.equal(all.length, 31);
  assert.equal(all[30].data, 'late');
  assert.ok(BigInt(all[30].at.split('-')[0]) >= BigInt(items[29].at.split('-')[0]));

  const before = Date.now();
  await fine(history(t, 'import', dir, [], { input: '{"topic":"t","data":{"now" : true}}\n' }));
  const last = parse(await exported(t, dir)).at(-1);
  assert.equal(last.data, '{"now":true}');
  assert.ok(Number(last.at.split('-')[0]) >= before);
});

test('hostile lines are told of by number and stop at nothing else', async (t) => {
  const good = (n) => JSON.stringify({ topic: 't', data: n });
  const hostile = [
    [good(1)], ['{"topic":"t"', /not valid JSON/], [''], ['{"topic":"t"}', /needs `data`/], [good(2)],
    ['[]', /JSON object/], ['{"topic":"t","data":1,"id":"5-1"}', /freshet's own/],
    ['{"topic":"t","data":1,"at":"yesterday"}', /`at` is the place/], ['{"topic":"a/*","data":1}', /patterns/],
    [`{"topic":"t","data":${'['.repeat(65)}${']'.repeat(65)}}`, /deeper than 64/],
    [Buffer.from([0x22, 0xff, 0xfe]), /not valid JSON/], ['{"topic":"t","data":1,"evnet":1}', /no others/],
    ['{"at":"17592186044415-1048575","topic":"t","data":1}', /in the future/], ['\0', /not valid JSON/],
    [`"${'x'.repeat(17 << 20)}"`, /longer than 16 MiB/], [good(3)],
  ];
  const input = Buffer.concat(hostile.flatMap(([line]) => [Buffer.from(line), Buffer.from('\n')]));
  const dir = path.join(folder(t), 'data');
  const { status, stderr } = await history(t, 'import', dir, ['--keep-going'], { input });
  assert.equal(status, 1, stderr);
  hostile.forEach(([, sentence], i) => {
    const told = stderr.split('\n').find((line) => line.includes(`line ${i + 1}: `));
    sentence ? assert.match(told ?? '', sentence, `line ${i + 1}`) : assert.equal(told, undefined);
  });
  assert.match(stderr, /3 events stored/);
  assert.deepEqual(parse(await exported(t, dir)).map((item) => item.data), ['1', '2', '3']);

  const strict = path.join(folder(t), 'data');
  const first = await fails(history(t, 'import', strict, [], { input }), 1, /line 2: it is not valid JSON/);
  assert.match(first.stderr, /--keep-going[^]*1 events stored/);
  assert.equal(parse(await exported(t, strict)).length, 1);

  const many = await history(t, 'import', strict, ['-k'], { input: 'x\n'.repeat(1000) });
  assert.equal(many.status, 1);
  assert.ok(many.stderr.split('\n').length < 30);
  assert.match(many.stderr, /and 980 more lines/);
});

test('an input that cannot be read is a sentence, and makes no directory', async (t) => {
  const place = folder(t);
  const dir = path.join(place, 'data');
  await fails(history(t, 'import', dir, [path.join(place, 'none')]), 1, /none cannot be read/);
  await fails(history(t, 'import', dir, [place]), 1, /cannot be read/);
  assert.match((await history(t, 'import', dir, [], { input: '' })).stderr, /0 events stored/);
  await fails(history(t, 'import', path.join(place, 'no', 'such'), [], { input: lines(events(1)) }), 1, /cannot be made/);
  assert.deepEqual(readdirSync(place), []);
});

// Changes bytes of a file in place.
function patch(name, at, bytes) {
  const fd = openSync(name, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

test('a byte that has changed is found, named, and left out', async (t) => {
  const items = events(100);
  items[40].data = 'unmistakable';
  const dir = await filled(t, items);
  const file = path.join(dir, 'data.mdb');
  const whole = readFileSync(file);
  // Also in pages that are free again.
  for (let at = whole.indexOf('unmistakable'); at >= 0; at = whole.indexOf('unmistakable', at + 1)) {
    patch(file, at, Buffer.from('U'));
  }
  const before = readFileSync(file);
  const { stdout } = await fails(history(t, 'check', dir, ['--progress']), 1,
    new RegExp(`event ${items[40].at}: its record is not what was written`));
  assert.match(stdout, /damaged events +1\n/);
  assert.doesNotMatch(stdout, /no damage/);
  const rest = await fails(history(t, 'export', dir), 1, /1 damaged events were left out/);
  assert.deepEqual(parse(rest.stdout), items.filter((_, i) => i !== 40));
  assert.ok(before.equals(readFileSync(file)), 'the file was not touched');
});

test('no damage makes a reader crash or hang', async (t) => {
  const dir = await filled(t, events(2000));
  const file = path.join(dir, 'data.mdb');
  const whole = readFileSync(file);
  const used = whole.lastIndexOf('line two') + 4096;
  let random = 12345;
  const next = (below) => (random = (random * 1103515245 + 12345) & 0x7fffffff) % below;
  for (let round = 0; round < 25; round++) {
    writeFileSync(file, whole);
    const page = 2 + next(Math.floor(used / 4096) - 2);
    patch(file, page * 4096 + (round % 2 ? 8 : next(4000)), Buffer.from(Array.from({ length: 40 }, () => next(256))));
    for (const action of ['check', 'export']) {
      const { status, stderr } = await history(t, action, dir);
      assert.ok([0, 1, 2].includes(status), `${action} of page ${page}: ${status} ${stderr}`);
    }
  }
});

const actions = (t, dir) => [
  history(t, 'export', dir), history(t, 'check', dir), history(t, 'compact', dir),
  history(t, 'import', dir, [], { input: lines(events(1)) }),
];

test('a file that is no history, or of another version, is refused and not touched', async (t) => {
  const dir = await filled(t);
  const file = path.join(dir, 'data.mdb');
  const whole = readFileSync(file);
  const newer = Buffer.from(whole);
  for (let at = newer.indexOf('!tehserf'); at >= 0; at = newer.indexOf('!tehserf', at + 1)) assert.fail(`at ${at}`);
  for (let at = newer.indexOf('freshet!'); at >= 0; at = newer.indexOf('freshet!', at + 1)) {
    newer.writeBigUInt64BE(99n, at + 8);
  }
  const cases = [
    [Buffer.from('PK\x03\x04 something else entirely'.repeat(500)), /not a history/],
    [whole.subarray(0, 20000), /cut short/],
    [newer, /newer freshet/],
  ];
  for (const [bytes, sentence] of cases) {
    writeFileSync(file, bytes);
    const [exporting, checking, compacting, importing] = actions(t, dir);
    await fails(exporting, 1, sentence);
    await fails(checking, 2, sentence);
    await fails(compacting, 1, sentence);
    await fails(importing, 1, sentence);
    assert.ok(bytes.equals(readFileSync(file)), `${sentence}: touched`);
  }
});

test('where there is nothing, nothing is made', async (t) => {
  const place = folder(t);
  const missing = path.join(place, 'missing');
  await fails(history(t, 'export', missing), 1, /holds no history/);
  await fails(history(t, 'check', missing), 2, /holds no history/);
  await fails(history(t, 'compact', missing), 1, /holds no history/);
  assert.deepEqual(readdirSync(place), []);
});

test('beside a server: reading works, writing says what to do instead', async (t) => {
  const dir = path.join(folder(t), 'data');
  const server = await serve(t, ['--data', dir]);
  const ids = [];
  for (let i = 0; i < 20; i++) ids.push(await publish(t, server, 'a', `event ${i}`));
  assert.deepEqual(parse(await exported(t, dir)).map((item) => item.at), ids);
  assert.match(await fine(history(t, 'check', dir)), /events +20\n/);
  await fails(history(t, 'import', dir, [], { input: lines(events(1)) }), 1, /in use by process \d+[^]*freshet pub --ndjson/);
  await fails(history(t, 'compact', dir), 1, /in use by process \d+/);
  ids.push(await publish(t, server, 'a', 'after'));
  await server.stop();
  assert.deepEqual(parse(await exported(t, dir)).map((item) => item.at), ids);
});

test('a server goes on from what was imported', async (t) => {
  const items = events(50, Date.now() - 60_000);
  const dir = await filled(t, items);
  const server = await serve(t, ['--data', dir]);
  const id = await publish(t, server, 'room/1', 'live');
  const response = await fetch(`${server.url}/events?topic=**&last_event_id=${items[20].at}`, { headers: { accept: 'application/json' } });
  const past = await response.json();
  assert.deepEqual(past.map((item) => item.id), [...items.slice(21).map((item) => item.id ?? item.at), id]);
});

test('compacting gives space back and keeps everything', async (t) => {
  const dir = await filled(t, events(3000));
  const text = await exported(t, dir);
  const { stdout, stderr, status } = await history(t, 'compact', dir, ['--progress']);
  assert.equal(status, 0, stderr);
  const [, before, after] = stdout.match(/^(\d+) bytes before, (\d+) after\n$/);
  assert.equal(statSync(path.join(dir, 'data.mdb')).size, Number(after));
  assert.ok(Number(after) < Number(before) / 2, stdout);
  assert.match(stderr, /MiB\/s, 100 %/);
  assert.equal(await exported(t, dir), text);
  assert.match(await fine(history(t, 'check', dir)), /no damage/);
  assert.deepEqual(readdirSync(dir).sort(), ['data.mdb', 'lock', 'lock.mdb']);
  const more = events(10, 1_750_000_000_000);
  await fine(history(t, 'import', dir, [], { input: lines(more) }));
  assert.equal(await exported(t, dir), text + lines(more));
});

// A reader that is in the middle keeps lock.mdb, and with it LMDB's number of the old file, alive.
test('compacting beside an export harms neither it nor who comes next', async (t) => {
  for (const extra of [0, 1]) {
    const dir = await filled(t, events(20_000));
    for (let i = 0; i < extra; i++) {
      await fine(history(t, 'import', dir, [], { input: lines(events(1, 1_740_000_000_000 + i)) }));
    }
    const text = await exported(t, dir);
    const reader = start(t, ['history', 'export', '--data', dir]);
    await reader.output(/\n/);
    reader.child.stdout.pause(); // it has more than a pipe holds
    await fine(history(t, 'compact', dir));
    const more = events(3, 1_750_000_000_000);
    await fine(history(t, 'import', dir, [], { input: lines(more) }));
    assert.equal(await exported(t, dir), text + lines(more));
    assert.match(await fine(history(t, 'check', dir)), /no damage/);
    reader.child.stdout.resume();
    assert.equal(await reader.exit(), 0, reader.stderr);
    assert.equal(reader.stdout, text);
  }
});

test('an import that is interrupted leaves a usable history, and can be repeated', async (t) => {
  const dir = path.join(folder(t), 'data');
  const items = events(1000);
  const program = start(t, ['history', 'import', '--data', dir]);
  program.child.stdin.write(lines(items.slice(0, 600)));
  await until(async () => existsSync(path.join(dir, 'data.mdb')) &&
    (await run(t, ['history', 'export', '--data', dir])).stdout.split('\n').length > 100, 'some are stored');
  program.kill('SIGINT');
  assert.equal(await program.exit(), 1);
  assert.match(program.stderr, /interrupted at line \d+[^]*events stored/);
  const stored = parse(await exported(t, dir));
  assert.deepEqual(stored, items.slice(0, stored.length));
  assert.ok(stored.length >= 100);
  assert.match(await fine(history(t, 'check', dir)), /no damage/);
  const { status, stderr } = await history(t, 'import', dir, [], { input: lines(items) });
  assert.equal(status, 0, stderr);
  assert.match(stderr, new RegExp(`${1000 - stored.length} events stored[^]*${stored.length} were there already`));
  assert.deepEqual(parse(await exported(t, dir)), items);
});

// The file may not grow: what a full disk does, without one.
test('when the disk is full, an import says so, and what it stored is in order', async (t) => {
  const dir = path.join(folder(t), 'data');
  const item = (i) => ({ at: `${1_700_000_000_000 + i}-0`, topic: 't', data: 'x'.repeat(100_000) });
  const items = Array.from({ length: 300 }, (_, i) => item(i));
  const program = start(t, ['history', 'import', '--data', dir]);
  program.child.stdin.write(lines(items.slice(0, 1)));
  const file = path.join(dir, 'data.mdb');
  await until(async () => existsSync(file) && (await run(t, ['history', 'export', '--data', dir])).stdout, 'it is stored');
  execFileSync('prlimit', ['--pid', String(program.pid), `--fsize=${statSync(file).size}:`]);
  program.child.stdin.end(lines(items.slice(1)));
  assert.equal(await program.exit(), 1);
  assert.match(program.stderr, /there is no room left on the disk/);
  const stored = parse(await exported(t, dir));
  assert.ok(stored.length > 0 && stored.length < items.length);
  assert.deepEqual(stored, items.slice(0, stored.length));
  assert.ok(Number(program.stderr.match(/at least (\d+) events stored/)[1]) <= stored.length, program.stderr);
  assert.match(await fine(history(t, 'check', dir)), /no damage/);
});

test('an import that is killed can be repeated', async (t) => {
  const dir = path.join(folder(t), 'data');
  const items = events(1000);
  const program = start(t, ['history', 'import', '--data', dir]);
  program.child.stdin.write(lines(items.slice(0, 600)));
  await until(async () => existsSync(path.join(dir, 'data.mdb')) &&
    (await run(t, ['history', 'export', '--data', dir])).stdout.split('\n').length > 100, 'some are stored');
  program.kill('SIGKILL');
  await program.exit();
  assert.equal((await history(t, 'import', dir, [], { input: lines(items) })).status, 0);
  const data = parse(await exported(t, dir)).map(({ at, ...rest }) => rest);
  assert.deepEqual(data, items.map(({ at, ...rest }) => rest));
});

test('a hundred thousand events go in and out in bounded memory', { timeout: 120_000 }, async (t) => {
  const place = folder(t);
  const name = path.join(place, 'events.ndjson');
  const dir = path.join(place, 'data');
  const items = Array.from({ length: 100_000 }, (_, i) =>
    ({ at: `${1_700_000_000_000 + i}-0`, topic: `t/${i % 100}`, data: 'x'.repeat(1000) }));
  writeFileSync(name, lines(items));
  const program = start(t, ['history', 'import', '--data', dir, name, '--progress']);
  let most = 0;
  const ended = program.exit(100_000);
  await until(() => {
    if (!program.status) most = Math.max(most, anonymous(program.pid));
    return program.status;
  }, 'the import ends', 100_000);
  assert.equal(await ended, 0, program.stderr);
  assert.match(program.stderr, /100000 events, .* 100 %[^]*100000 events stored/);
  // Under a sanitizer, memory says nothing about the program.
  assert.ok(slow > 1 || (most > 0 && most < 80 << 20), `${most} bytes of memory for a file of ${statSync(name).size}`);
  const copy = path.join(place, 'copy.ndjson');
  await fine(history(t, 'export', dir, ['-o', copy]));
  assert.ok(readFileSync(copy).equals(readFileSync(name)));
});

// Memory of its own: not the pages of the file that happen to be mapped.
function anonymous(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^RssAnon:\s+(\d+) kB/m)[1]) * 1024;
  } catch {
    return 0;
  }
}

test('a truncated input file ends with its last whole line', async (t) => {
  const place = folder(t);
  const name = path.join(place, 'events.ndjson');
  const text = lines(events(10));
  writeFileSync(name, text);
  truncateSync(name, Buffer.byteLength(text) - 5);
  const dir = path.join(place, 'data');
  await fails(history(t, 'import', dir, [name]), 1, /line 10: it is not valid JSON[^]*9 events stored/);
  assert.equal(parse(await exported(t, dir)).length, 9);
});
