// Life behind others: the configurations of docs/proxies, in the real programs. What is not installed is skipped by
// its name; tools/deps proxies installs it.

import assert from 'node:assert/strict';
import { connect, publish, serve, start, subscribeFetch, subscribers, test, until, untilSubscribers } from './harness/index.mjs';
import { missingProxy, proxies, startProxy } from './harness/proxies.mjs';

for (const name of Object.keys(proxies)) {
  const options = { skip: missingProxy(name) };

  test(`${name} passes on each event without waiting for another, or for a heartbeat`, options, async (t) => {
    const server = await serve(t, ['--heartbeat', '0']);
    const proxy = await startProxy(t, name, server);
    const stream = await subscribeFetch(t, proxy, '/events/news');
    assert.match(stream.response.headers.get('content-type'), /^text\/event-stream/);
    await stream.waitComments(1);
    for (const data of ['one', 'two\nlines', 'three']) {
      const id = await publish(t, server, 'news', data);
      assert.deepEqual(await stream.next(), { event: 'message', id, data });
    }
    assert.equal(stream.comments, 1, 'no heartbeat was needed');
  });

  test(`${name} passes on what is published through it, and a stream as it comes`, options, async (t) => {
    const server = await serve(t);
    const proxy = await startProxy(t, name, server);
    const stream = await subscribeFetch(t, proxy, '/events/news');
    const id = await publish(t, proxy, 'news', 'whole');
    assert.deepEqual(await stream.next(), { event: 'message', id, data: 'whole' });

    const upload = await connect(t, proxy);
    upload.send('POST /events/news HTTP/1.1\r\nHost: h\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    upload.send('d\r\ndata: first\n\n\r\n');
    assert.equal((await stream.next()).data, 'first');
    upload.send('c\r\ndata: last\n\n\r\n0\r\n\r\n');
    assert.equal((await stream.next()).data, 'last');
    const answer = await upload.readResponse();
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.json().published, 2);
  });

  test(`${name} gives each listener a stream of its own, and tells freshet when one has gone`, options, async (t) => {
    const server = await serve(t);
    const proxy = await startProxy(t, name, server);
    const first = await subscribeFetch(t, proxy, '/events/news');
    const second = await subscribeFetch(t, proxy, '/events/news');
    await untilSubscribers(t, server, 2);
    await publish(t, server, 'news', 'both');
    assert.equal((await first.next()).data, 'both');
    assert.equal((await second.next()).data, 'both');
    first.close();
    // A proxy may find out only when it has something to pass on.
    await until(async () => {
      await publish(t, server, 'news', 'still there?');
      return (await subscribers(t, server)) === 1;
    }, 'freshet has lost the listener');
    second.close();
  });

  test(`${name}: a listener resumes where it was when the proxy restarts`, options, async (t) => {
    const server = await serve(t, ['--retry', '100ms']);
    const proxy = await startProxy(t, name, server);
    const sub = start(t, ['sub', `${proxy.url}/events/news`]);
    await untilSubscribers(t, server, 1);
    await publish(t, server, 'news', 'before');
    await sub.output(/^before$/m);
    await proxy.stop();
    await untilSubscribers(t, server, 0);
    await publish(t, server, 'news', 'missed');
    await proxy.start();
    await sub.output(/^missed$/m);
    await publish(t, server, 'news', 'after');
    await sub.output(/^before\nmissed\nafter$/m);
  });

  test(`${name}: heartbeats carry a stream over its limit for silence`, options, async (t) => {
    const beating = await serve(t, ['--heartbeat', '400ms']);
    const silent = await serve(t, ['--heartbeat', '0']);
    const [front, control] = await Promise.all([beating, silent].map((server) => startProxy(t, name, server, { silence: '2s' })));
    const stream = await subscribeFetch(t, front, '/events/news');
    const lost = await subscribeFetch(t, control, '/events/news');
    // The limit is there: without heartbeats it ends a stream.
    await lost.finish();
    await stream.waitComments(stream.comments + 6);
    const id = await publish(t, beating, 'news', 'still here');
    assert.equal((await stream.next()).id, id);
    assert.equal(stream.ended, false);
  });
}
