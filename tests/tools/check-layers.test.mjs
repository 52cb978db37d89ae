// tools/check-layers must be able to fail: each test gives it a small tree with one thing wrong.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../integration/harness/env.mjs';

function check(t, files) {
  const tree = mkdtempSync(path.join(tmpdir(), 'layers-'));
  t.after(() => rmSync(tree, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), text);
  }
  const { status, stdout } = spawnSync(path.join(root, 'tools/check-layers'), [tree], { encoding: 'utf8' });
  return { status, stdout };
}

const good = {
  'src/base/buf.c': '#include "base/buf.h"\n#include <unistd.h>\n',
  'src/stream/writer.c': '#include <freshet/writer.h>\n#include "stream/utf8.h"\n#include <string.h>\n',
  'src/hub/frame.c': '#include "base/buf.h"\n#include "stream/utf8.h"\n',
  'src/net/conn.c': '#include <sys/socket.h>\n#include <uv.h>\n#include "http/head.h"\n',
  'src/cli/main.c': '#include "server/server.h"\n#include "base/log.h"\n',
  'include/freshet/writer.h': '#include <freshet/event.h>\n#include <stddef.h>\n',
  'tests/unit/hub/test_frame.c': '#include "support.h"\n#include "hub/frame.h"\n',
};

test('check-layers accepts a tree in order', (t) => {
  const { status, stdout } = check(t, good);
  assert.equal(status, 0, stdout);
});

test('check-layers accepts this tree', () => {
  const { status, stdout } = spawnSync(path.join(root, 'tools/check-layers'), { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

const bad = {
  'an include that points up': ['src/base/buf.c', '#include "hub/frame.h"\n', /src\/base\/buf\.c:1: .*base is below hub/],
  'an include that points up, indented': ['src/http/head.c', '#ifdef A\n#  include "net/conn.h"\n#endif\n', /head\.c:2: /],
  'a unit test that includes from above': ['tests/unit/hub/test_x.c', '#include "server/server.h"\n', /test_x\.c:1: /],
  'an include without a layer': ['src/hub/topic.c', '#include "frame.h"\n', /write the layer/],
  'an include of no layer': ['src/hub/topic.c', '#include "nowhere/frame.h"\n', /there is no layer nowhere/],
  'a folder that is no layer': ['src/extra/a.c', '\n', /not a layer/],
  'base used by the stream library': ['src/stream/parser.c', '#include "base/buf.h"\n', /library of its own/],
  'a system header in the stream library': ['src/stream/parser.c', '#include <unistd.h>\n', /libc only/],
  'an internal header in the installed API': ['include/freshet/parser.h', '#include "base/buf.h"\n', /installed API/],
  'sockets in a pure layer': ['src/http/head.c', '#include <sys/socket.h>\n', /no sockets in http/],
  'the event loop in a pure layer': ['src/auth/token.c', '#include <uv.h>\n', /auth is pure/],
  'curl in a pure layer': ['src/http/url.c', '#include <curl/curl.h>\n', /no sockets in http/],
  'sockets in the hub': ['src/hub/fanout.c', '#include <netinet/tcp.h>\n', /no sockets in hub/],
  'a file of 501 lines': ['src/hub/long.c', '//\n'.repeat(501), /long\.c:501: more than 500 lines/],
  'a file called util': ['src/hub/util.c', '\n', /src\/hub\/util\.c: a name that says nothing/],
  'a file called string_utils': ['src/hub/string_utils.h', '\n', /a name that says nothing/],
  'a folder called common': ['tests/common/a.txt', '\n', /tests\/common: a name that says nothing/],
};

for (const [what, [file, text, message]] of Object.entries(bad)) {
  test(`check-layers refuses ${what}`, (t) => {
    const { status, stdout } = check(t, { ...good, [file]: text });
    assert.equal(status, 1, stdout);
    assert.match(stdout, message);
  });
}

test('check-layers lists a long function and does not fail', (t) => {
  const body = '    x++;\n'.repeat(60);
  const { status, stdout } = check(t, { 'src/hub/a.c': `int short_one(void) {\n    return 1;\n}\n\nint *long_one(int x,\n              int y) {\n${body}}\n` });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /a\.c:6: warning: long_one has 62 lines/);
  assert.doesNotMatch(stdout, /short_one/);
});

test('check-layers does not take a long table or struct for a function', (t) => {
  const rows = '    1,\n'.repeat(80);
  const { stdout } = check(t, { 'src/hub/a.c': `static const int table[] = {\n${rows}};\n\nstruct s {\n${'    int a;\n'.repeat(80)}};\n` });
  assert.doesNotMatch(stdout, /warning/);
});
