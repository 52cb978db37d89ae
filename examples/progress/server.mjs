// Takes a file, and packs it as tightly as it can be done (brotli, quality 11: a job of seconds or minutes). How far
// both are is published; whoever has the page of the job open sees it, also after a reload, also on another device.

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { constants, createBrotliCompress } from 'node:zlib';
import { setTimeout as pause } from 'node:timers/promises';

const freshet = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
const token = process.env.FRESHET_TOKEN; // one that may publish to `jobs/*`, if freshet asks for it
const maxSize = 1 << 30;
const folder = mkdtempSync(path.join(tmpdir(), 'progress-'));
const jobs = new Map(); // a real site keeps them in its database

async function publish(events) {
  const answer = await fetch(`${freshet}/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify(events),
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) {
    throw new Error(`freshet says ${answer.status}: ${await answer.text()}`);
  }
}

// Gives a function that publishes what is known of a job, by type. Only the newest of each type counts: five times a
// second at most they are published together. While freshet is away they replace each other, and what they are in the end
// is sent when it is back.
function reporter(topic) {
  const newest = new Map();
  let sending;
  async function send() {
    for (let failures = 0; newest.size > 0 && failures < 50; await pause(200)) {
      const values = [...newest];
      newest.clear();
      try {
        // The key says what an event is a new value of: who opens the page later gets the newest event of each key.
        await publish(values.map(([type, data]) => ({ topic, event: type, key: type, data })));
        failures = 0;
      } catch (error) {
        if (++failures === 50) {
          console.error(error);
        }
        const since = [...newest];
        newest.clear();
        for (const [type, data] of [...values, ...since]) {
          newest.set(type, data);
        }
      }
    }
    sending = undefined;
  }
  return (type, value) => {
    newest.set(type, value);
    sending ??= send();
  };
}

// Reports `done` of `total` bytes, with the rate of the last five seconds and what it says of the time left.
function meter(report, type, total) {
  const samples = [];
  return (done) => {
    const now = performance.now();
    samples.push({ done, now });
    while (now - samples[0].now > 5000 && samples.length > 2) {
      samples.shift();
    }
    const rate = (done - samples[0].done) / ((now - samples[0].now) / 1000) || 0;
    report(type, { done, total, rate: Math.round(rate), left: rate > 0 ? (total - done) / rate : null });
  };
}

// The body of a PUT is the rest of the file from `offset` on. A connection that breaks loses nothing: what has arrived is
// kept, and the page goes on from there with another PUT.
async function receive(job, request, offset) {
  while (job.upload) { // the page was reloaded before we noticed that its connection is gone; only one may write
    job.upload.destroy();
    await job.written;
  }
  if (offset !== job.received) {
    return false;
  }
  job.upload = request;
  job.written = (async () => {
    const file = await open(job.file, 'a');
    try {
      for await (const chunk of request) {
        if (job.received + chunk.length > job.size) {
          break;
        }
        await file.write(chunk);
        job.received += chunk.length;
        job.uploaded(job.received);
      }
    } catch {
      // It broke off. Perhaps the page comes back.
    } finally {
      await file.close();
      job.upload = undefined;
    }
  })();
  await job.written;
  return job.received === job.size;
}

async function pack(job) {
  const packed = meter(job.report, 'pack', job.size);
  const hash = createHash('sha256');
  const brotli = createBrotliCompress({
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 18, [constants.BROTLI_PARAM_LGBLOCK]: 16 },
  });
  const result = brotli.pipe(createWriteStream(`${job.file}.br`));
  let done = 0;
  packed(done);
  for await (const chunk of createReadStream(job.file)) {
    hash.update(chunk);
    await new Promise((resolve, reject) => brotli.write(chunk, (error) => (error ? reject(error) : resolve())));
    packed((done += chunk.length));
  }
  brotli.end();
  await once(result, 'finish');
  job.done = true;
  job.report('done', { size: result.bytesWritten, sha256: hash.digest('hex'), url: `/jobs/${job.id}/result` });
}

function create({ name, size }) {
  if (!Number.isSafeInteger(size) || size < 0 || size > maxSize) {
    return undefined;
  }
  // Whoever knows this name may listen to the job: it cannot be guessed.
  const id = randomUUID();
  const report = reporter(`jobs/${id}`);
  const job = { id, report, name: String(name).slice(0, 200), size, received: 0, file: path.join(folder, id), uploaded: meter(report, 'upload', size) };
  job.uploaded(0);
  jobs.set(id, job);
  return job;
}

function start(job) {
  job.started = true;
  pack(job).catch((error) => {
    console.error(error);
    job.report('failed', { reason: 'it could not be packed' });
  });
}

async function readJson(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    if ((text += chunk).length > 10_000) {
      throw new Error('too long');
    }
  }
  return JSON.parse(text);
}

const page = readFileSync(new URL('page.html', import.meta.url), 'utf8').replace('{{freshet}}', freshet);

function json(response, status, value) {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

const show = ({ id, name, size, received }) => ({ id, name, size, received });

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://here');
  const [, first, id, last] = pathname.split('/');
  const job = jobs.get(id);
  if (request.method === 'GET' && pathname === '/') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
  } else if (request.method === 'POST' && pathname === '/jobs') {
    const created = create(await readJson(request));
    json(response, created ? 201 : 400, created ? show(created) : {});
    if (created?.size === 0) {
      start(created);
    }
  } else if (first !== 'jobs' || !job) {
    json(response, 404, {});
  } else if (request.method === 'PUT' && !last) {
    const whole = await receive(job, request, Number(searchParams.get('offset')));
    json(response, whole ? 200 : 202, show(job));
    if (whole && !job.started) {
      start(job);
    }
  } else if (request.method === 'GET' && last === 'result' && job.done) {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Disposition': `attachment; filename="${id}.br"` });
    createReadStream(`${job.file}.br`).pipe(response);
  } else {
    json(response, 200, show(job));
  }
}

const server = http.createServer({ requestTimeout: 0 }, (request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    json(response, 500, {});
  });
});
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    rmSync(folder, { recursive: true });
    process.exit();
  });
}
