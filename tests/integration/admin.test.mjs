// Administrators: where they are heard, by which token, what is written down of them; files of the service manager, and
// giving up root.

import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  apiConnections, assertProblem, bearer, publish, request, rights, run, secret, serve, subscribe, test, token, until,
} from './harness/index.mjs';
import { hasConsole } from './harness/console.mjs';

const adminToken = 'the token of the administrators of a test'.replaceAll(' ', '-');
const inFront = '127.0.0.1:0';

function folder(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'freshet-admin-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function tokenFile(dir, text = adminToken) {
  const file = path.join(dir, 'admin-token');
  writeFileSync(file, `${text}\n`);
  return file;
}

// Where the server hears administrators, as something to ask.
async function adminsOf(server) {
  const [, port] = await server.output(/^administrators on https?:\/\/\S+:(\d+)$/m);
  return { port: Number(port) };
}

const status = async (t, at, target, options = {}) => (await request(t, at, { path: target, ...options })).status;
const front = (t, at) => request(t, at, { path: '/', headers: { accept: 'text/html' } });
const theirs = ['/metrics', '/api/topics', '/api/connections'];

test('on the machine itself administrators are heard at the same address', async (t) => {
  const server = await serve(t);
  for (const target of theirs) {
    assert.equal(await status(t, server, target), 200);
  }
  assert.doesNotMatch(server.stdout, /administrators/);
});

test('at an address that others can reach they are not heard', async (t) => {
  const server = await serve(t, ['--insecure'], { listen: '0.0.0.0:0' });
  await server.says(/nobody is heard as an administrator: .*--admin-listen/);
  for (const target of theirs) {
    assert.match(assertProblem(await request(t, server, { path: target }), 404).detail, /--admin-listen/);
  }
  for (const [method, target] of [['POST', '/api/reload'], ['DELETE', '/api/topics/a'], ['DELETE', '/api/connections/1'], ['OPTIONS', '/metrics']]) {
    assertProblem(await request(t, server, { method, path: target }), 404);
  }
  assert.equal(await status(t, server, '/healthz'), 200);
  assert.match((await front(t, server)).headers['content-type'], /^text\/plain/); // and no console
  await publish(t, server, 'a', 'x');
  // What listeners ask for is theirs everywhere.
  assertProblem(await request(t, server, { method: 'POST', path: '/api/connections/none/topics', body: '{}', headers: { 'content-type': 'application/json' } }), 404);
  assertProblem(await request(t, server, { method: 'GET', path: '/api/tickets' }), 405);
});

test('for whom a trusted proxy asks is not on this machine', async (t) => {
  const file = tokenFile(folder(t));
  const through = (server, client, headers = {}) => status(t, server, '/metrics', { headers: { 'x-forwarded-for': client, ...headers } });
  const server = await serve(t, ['--trusted-proxies', '127.0.0.1']);
  assert.equal(await status(t, server, '/metrics'), 200);
  for (const client of ['192.0.2.1', '2001:db8::1', '128.0.0.1', '::2']) {
    assert.equal(await through(server, client), 403, client);
  }
  assert.equal(await through(server, '::1'), 200);
  assert.equal(await through(await serve(t, []), '192.0.2.1'), 200, 'nobody is believed');
  const guarded = await serve(t, ['--trusted-proxies', '127.0.0.1', '--admin-token-file', file]);
  assert.equal(await through(guarded, '192.0.2.1', bearer(adminToken)), 200);
  assert.equal(await through(guarded, '192.0.2.1'), 401);
});

test('with --admin-listen they are heard there alone', async (t) => {
  const server = await serve(t, ['--admin-listen', inFront]);
  const admins = await adminsOf(server);
  for (const target of theirs) {
    assertProblem(await request(t, server, { path: target }), 404);
    assert.equal(await status(t, admins, target), 200);
  }
  assertProblem(await request(t, server, { method: 'POST', path: '/api/reload' }), 404);
  assert.equal(await status(t, admins, '/api/reload', { method: 'POST' }), 200);
  assert.match((await front(t, server)).headers['content-type'], /^text\/plain/);
  if (hasConsole) {
    await server.says(/the console is at http:\/\/127\.0\.0\.1:\d+\/$/m);
    assert.match((await front(t, admins)).headers['content-type'], /^text\/html/);
  }
  const stream = await subscribe(t, admins, '/events/a'); // a console listens, too
  await publish(t, server, 'a', 'x');
  assert.equal((await stream.next()).data, 'x');
  // A page of another origin has nothing to change there.
  assertProblem(await request(t, admins, { method: 'POST', path: '/api/reload', headers: { origin: 'https://evil.example' } }), 403);
});

test('an address for administrators that others can reach needs a token', async (t) => {
  const file = tokenFile(folder(t));
  const args = ['--admin-listen', '0.0.0.0:0'];
  const refused = await run(t, ['serve', '--check', ...args]);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /for administrators.*--admin-token-file/);
  for (const more of [['--admin-token-file', file], ['--insecure'], ['--public-subscribe', '**']]) {
    assert.equal((await run(t, ['serve', '--check', ...args, ...more])).status, 0, more[0]);
  }
  // It is not one for everybody else.
  assert.equal((await run(t, ['serve', '--check', '--listen', '0.0.0.0:0', '--admin-token-file', file])).status, 2);
});

test('the token of administrators, and what is not it', async (t) => {
  const file = tokenFile(folder(t));
  const server = await serve(t, ['--admin-token-file', file]);
  const get = (headers) => request(t, server, { path: '/api/topics', headers });
  assert.equal((await get(bearer(adminToken))).status, 200);
  for (const headers of [{}, bearer(''), bearer(adminToken.slice(1)), bearer(`${adminToken}x`), bearer(adminToken.toUpperCase()),
    { authorization: `Basic ${adminToken}` }, { cookie: `freshet_token=${adminToken}` }]) {
    assert.match(assertProblem(await get(headers), 401).detail, /administrator/);
  }
  assertProblem(await request(t, server, { path: `/api/topics?ticket=${adminToken}` }), 401);
  await publish(t, server, 'a', 'events are as open as they were');
  writeFileSync(file, 'too short');
  const problem = assertProblem(await request(t, server, { method: 'POST', path: '/api/reload', headers: bearer(adminToken) }), 422);
  assert.match(problem.detail, /--admin-token-file .*32 bytes/);
  const other = adminToken.split('').reverse().join('');
  writeFileSync(file, other);
  assert.equal(await status(t, server, '/api/reload', { method: 'POST', headers: bearer(adminToken) }), 200);
  assertProblem(await get(bearer(adminToken)), 401);
  assert.equal((await get(bearer(other))).status, 200);
  assert.ok(!server.stderr.includes(adminToken) && !server.stderr.includes(other));
});

test('beside keys, it gives the rights of an administrator and no others', async (t) => {
  const server = await serve(t, ['--admin-token-file', tokenFile(folder(t))], { env: { FRESHET_JWT_SECRET: secret } });
  const get = (target, headers) => request(t, server, { path: target, headers: { accept: 'application/json', ...headers } });
  assert.equal((await get('/api/topics', bearer(adminToken))).status, 200);
  assert.equal((await get('/api/topics', bearer(token({ freshet: { admin: true } })))).status, 200);
  assertProblem(await get('/api/topics', bearer(token(rights(['**'])))), 403);
  assertProblem(await get('/events/a', bearer(adminToken)), 401);
  assert.equal((await get('/events/a', bearer(token(rights(['a']))))).status, 200);
});

test('one connection is closed, by the id that is listed', async (t) => {
  const server = await serve(t, ['--workers', '2']);
  const streams = await Promise.all([subscribe(t, server, '/events/a'), subscribe(t, server, '/events/b')]);
  const ids = (await apiConnections(t, server)).map((each) => [each.topics[0], each.id]);
  const close = (id) => status(t, server, `/api/connections/${id}`, { method: 'DELETE' });
  const [, id] = ids.find(([topic]) => topic === 'b');
  for (const wrong of ['', '0', '99999', 'x', '-1', `${id}/x`]) {
    assert.equal(await close(wrong), 404, wrong);
  }
  assert.equal(await close(id), 204);
  await streams[1].finish();
  assert.ok(streams[1].retries.length >= 2, 'it is told when to come back');
  assert.equal(await close(id), 404);
  await publish(t, server, 'a', 'x');
  assert.equal((await streams[0].next()).data, 'x');
});

// The lines of the audit log, once there are so many.
const audited = (file, count) => until(() => {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return lines.length >= count && lines.map((line) => JSON.parse(line));
}, `${count} lines of the audit log`);

test('the audit log says who changed what, and who was not let', async (t) => {
  const dir = folder(t), file = path.join(dir, 'audit.log');
  const server = await serve(t, ['--admin-token-file', tokenFile(dir), '--audit-log', file, '--workers', '1'], { env: { FRESHET_JWT_SECRET: secret } });
  const ask = (method, target, headers) => request(t, server, { method, path: target, headers });
  const boss = bearer(token({ sub: 'ann "the boss"', freshet: { admin: true } }));
  const bad = token({ sub: 'x' }, { key: 'a key that nobody here has ever believed' });
  await publish(t, server, 'a', 'x', { headers: bearer(token(rights([], ['a']))) });
  await ask('GET', '/api/topics', boss); // reading is nothing to write down
  await ask('DELETE', '/api/topics/a', boss);
  await ask('POST', '/api/reload?ticket=not-to-be-told', bearer(adminToken));
  await ask('DELETE', '/api/connections/77', bearer(adminToken));
  await ask('GET', '/metrics', {});
  await ask('DELETE', '/api/topics/a', bearer(bad));
  await ask('DELETE', '/api/topics/a', bearer(token(rights([], ['a'], { sub: 'ben' }))));
  await ask('GET', '/events/a', {}); // nor is this an administrator's
  await audited(file, 6);
  server.kill('SIGHUP');
  const lines = await audited(file, 7);
  for (const line of lines) {
    assert.ok(Math.abs(Date.parse(line.time) - Date.now()) < 600_000, line.time);
    assert.equal(line.by === 'signal', line.address === undefined);
    assert.ok(line.address === undefined || /^127\.0\.0\.1:\d+$/.test(line.address));
  }
  assert.deepEqual(lines.map(({ action, outcome, status: answer, by, subject, method, path: target }) =>
    [action, outcome, answer, by, subject, method, target]), [
    ['purge', 'done', 204, 'token', 'ann "the boss"', 'DELETE', '/api/topics/a'],
    ['reload', 'done', 200, 'admin-token', undefined, 'POST', '/api/reload'],
    ['close', 'failed', 404, 'admin-token', undefined, 'DELETE', '/api/connections/77'],
    ['read', 'refused', 401, 'anyone', undefined, 'GET', '/metrics'],
    ['purge', 'refused', 401, 'anyone', undefined, 'DELETE', '/api/topics/a'],
    ['purge', 'refused', 403, 'token', 'ben', 'DELETE', '/api/topics/a'],
    ['reload', 'done', undefined, 'signal', undefined, undefined, undefined],
  ]);
  const text = readFileSync(file, 'utf8');
  for (const word of [adminToken, bad, 'not-to-be-told']) {
    assert.ok(!text.includes(word));
  }
  assert.equal(statSync(file).mode & 0o137, 0, 'not everybody may read it');
});

test('the audit log is opened anew, so that it can be moved away', async (t) => {
  const dir = folder(t), file = path.join(dir, 'audit.log'), moved = path.join(dir, 'audit.log.1');
  const server = await serve(t, ['--audit-log', file]);
  const reload = async () => assert.equal(await status(t, server, '/api/reload', { method: 'POST' }), 200);
  await reload();
  await audited(file, 1);
  renameSync(file, moved);
  await reload();
  await audited(file, 1);
  assert.equal((await audited(moved, 1)).length, 1);
  await server.stop();
});

test('an audit log on standard output', async (t) => {
  const server = await serve(t, ['--audit-log', '-']);
  assert.equal(await status(t, server, '/api/topics/none', { method: 'DELETE' }), 404);
  await server.output(/^\{"time":"[^"]+","action":"purge","outcome":"failed","status":404,/m);
});

test('credentials of the service manager', async (t) => {
  const dir = folder(t);
  tokenFile(dir);
  writeFileSync(path.join(dir, 'jwt'), secret);
  const env = { CREDENTIALS_DIRECTORY: dir };
  const server = await serve(t, ['--jwt-secret-file', 'credential:jwt'], { env: { ...env, FRESHET_ADMIN_TOKEN_FILE: 'credential:admin-token' } });
  await publish(t, server, 'a', 'x', { headers: bearer(token(rights([], ['a']))) });
  assert.equal(await status(t, server, '/metrics', { headers: bearer(adminToken) }), 200);
  const check = async (value, more, sentence) => {
    const { status: code, stderr } = await run(t, ['serve', '--check', '--jwt-secret-file', value], { env: more });
    assert.equal(code, 2, stderr);
    assert.match(stderr, sentence);
  };
  await check('credential:jwt', { CREDENTIALS_DIRECTORY: '' }, /there is no \$CREDENTIALS_DIRECTORY .*LoadCredential=jwt:/);
  await check('credential:../jwt', env, /is no name of a credential/);
  await check('credential:other', env, /No such file/);
});

test('serve --check looks at all of it and makes nothing', async (t) => {
  const dir = folder(t), file = path.join(dir, 'audit.log');
  const fine = ['--admin-listen', '127.0.0.1:0', '--admin-token-file', tokenFile(dir), '--audit-log', file, '--user', 'nobody'];
  const { status: code, stderr } = await run(t, ['serve', '--check', ...fine]);
  assert.equal(code, 0, stderr);
  assert.ok(!existsSync(file));
  writeFileSync(path.join(dir, 'short'), 'short');
  for (const [args, sentence] of [
    [['--admin-listen', 'somewhere'], /cannot listen on somewhere/],
    [Array(16).fill(['--admin-listen', '127.0.0.1:0']).flat(), /from 1 to 16 addresses/],
    [['--admin-listen', 'https://127.0.0.1:0'], /there is no certificate/],
    [['--admin-token-file', path.join(dir, 'short')], /at least 32 bytes/],
    [['--admin-token-file', path.join(dir, 'none')], /No such file/],
    [['--audit-log', '/nonexistent/audit.log'], /--audit-log \/nonexistent\/audit\.log/],
    [['--user', 'no-such-user-here'], /there is no user of that name/],
    [['--user', 'root'], /that is root/],
  ]) {
    const refused = await run(t, ['serve', '--check', ...args]);
    assert.notEqual(refused.status, 0, args.join(' '));
    assert.match(refused.stderr, sentence);
  }
});

const root = process.getuid?.() === 0;

// The user, group and groups that a process has, from all its threads: as the system tells.
function whoIs(pid) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name) => text.match(new RegExp(`^${name}:(.*)$`, 'm'))[1].trim().split(/\s+/).filter(Boolean).map(Number);
  return { user: field('Uid'), group: field('Gid'), groups: field('Groups') };
}

const skipUnlessRoot = !root ? 'only root can become somebody else' : !existsSync('/proc/self/status') && 'no /proc here';

test('--user gives up root for good, after binding and opening', { skip: skipUnlessRoot }, async (t) => {
  const dir = folder(t), nobody = 65534;
  chmodSync(dir, 0o755);
  const ownFile = path.join(dir, 'secret'), mine = path.join(dir, 'mine'), data = path.join(mine, 'data');
  writeFileSync(ownFile, secret, { mode: 0o600 }); // root's alone
  mkdirSync(mine);
  chownSync(mine, nobody, nobody);
  const audit = path.join(mine, 'audit.log');
  const server = await serve(t, ['--user', 'nobody', '--jwt-secret-file', ownFile, '--data', data, '--audit-log', audit,
    '--listen', `unix:${path.join(dir, 'socket')}`]);
  const ids = whoIs(server.pid);
  assert.deepEqual(new Set(ids.user), new Set([nobody]));
  assert.equal(new Set(ids.group).size, 1);
  assert.ok(!ids.group.includes(0) && !ids.groups.includes(0), JSON.stringify(ids));
  for (const made of [data, path.join(data, 'data.mdb'), audit]) {
    assert.equal(statSync(made).uid, nobody, made);
  }
  await publish(t, server, 'a', 'x', { headers: bearer(token(rights([], ['a']))) });
  await server.says(/nobody cannot read .*secret/);
  const headers = bearer(token({ freshet: { admin: true } }));
  const problem = assertProblem(await request(t, server, { method: 'POST', path: '/api/reload', headers }), 422);
  assert.match(problem.detail, /Permission denied/);
  chownSync(ownFile, nobody, nobody);
  assert.equal(await status(t, server, '/api/reload', { method: 'POST', headers }), 200);
});

test('--user without root', { skip: root && 'this is root' }, async (t) => {
  const refused = await run(t, ['serve', '--listen', '127.0.0.1:0', '--user', 'nobody']);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /only root can become another user/);
});
