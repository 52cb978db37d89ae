#!/usr/bin/env node
// What shared compression saves and costs: bytes on the wire, plain, shared, and with a context of its own for each
// listener (which is zlib in this process, fed the same flushes); CPU per delivery and memory, plain and shared by turns.
//
// usage: bench/gzip.mjs [--short]

import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { machine, markdown, median, number, startFreshet } from './lab.mjs';

const short = process.argv.includes('--short');
const LISTENERS = 1000;
const CROWD = 4000;
const ROUNDS = short ? 20 : 100; // in a turn
const TURNS = short ? 1 : 7;
const sleep = promisify(setTimeout);

// About 250 bytes of JSON, of which much is the same in each.
let count = 0;
function event() {
  const dice = (count++ * 2654435761) >>> 0;
  const letters = [0, 5, 10, 15].map((shift) => String.fromCharCode(65 + ((dice >>> shift) % 26))).join('');
  const price = (shift) => ((dice >>> shift) % 90000) / 100;
  return JSON.stringify({
    symbol: letters, exchange: 'XNAS', price: price(3), bid: price(4), ask: price(5), volume: dice % 100000, currency: 'USD',
    at: new Date(1767225600000 + count * 37).toISOString(), condition: 'regular', sequence: count,
    venue: { id: dice % 16, name: 'Nasdaq', country: 'US' }, kind: 'trade', final: true,
  });
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

// One request, so that all of it is there before the flush.
function publish(server, gathered) {
  const body = JSON.stringify([...Array(gathered)].map(() => ({ topic: 'bench', data: event() })));
  return new Promise((resolve, reject) => {
    const request = http.request({ port: server.port, path: '/events', method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (response) => response.resume().on('end', resolve));
    request.on('error', reject);
    request.end(body);
  });
}

// Listens, and counts the bytes of the body; `onBody` gets them.
function listen(server, gzip, onBody = () => {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(server.port, '127.0.0.1');
    const listener = { socket, bytes: 0, close: () => socket.destroy() };
    let head = Buffer.alloc(0);
    socket.on('error', reject);
    socket.write(`GET /events/bench HTTP/1.1\r\nHost: localhost\r\n${gzip ? 'Accept-Encoding: gzip\r\n' : ''}\r\n`);
    socket.on('data', (chunk) => {
      if (head) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end >= 0) {
          head = undefined;
          resolve(listener);
        }
        return;
      }
      listener.bytes += chunk.length;
      onBody(chunk);
    });
  });
}

async function until(check) {
  for (let i = 0; !check(); i++) {
    if (i > 10_000) {
      throw new Error('what was published did not arrive');
    }
    await sleep(1);
  }
}

async function bytesOnTheWire(gathered) {
  const server = await startFreshet();
  const own = zlib.createDeflateRaw();
  let ownBytes = 0;
  let text = '';
  own.on('data', (chunk) => { ownBytes += chunk.length; });
  const plain = await listen(server, false, (chunk) => { text += chunk; });
  const shared = await listen(server, true);
  const flush = promisify((done) => own.flush(zlib.constants.Z_SYNC_FLUSH, done));
  let first = [];
  for (let round = 0; round <= 200; round++) {
    const before = shared.bytes;
    text = '';
    await publish(server, gathered);
    await until(() => text.split('\n\n').length === gathered + 1 && shared.bytes > before);
    await sleep(1); // the rest of it, should it come in two
    own.write(text);
    await flush();
    first = round ? first : [plain.bytes, shared.bytes, ownBytes]; // of the first nobody has anything to refer to
  }
  [plain, shared].forEach((listener) => listener.close());
  await server.stop();
  const each = (bytes, i) => (bytes - first[i]) / 200 / gathered;
  return [each(plain.bytes, 0), each(shared.bytes, 1), each(ownBytes, 2)];
}

const ticks = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((a, b) => a + Number(b), 0);
const resident = (pid) => Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/Private_Dirty:\s+(\d+)/)[1]) * 1024;
const listenAll = (server, gzip, many) => {
  const all = [];
  const some = async () => {
    for (let i = 0; i < many / 50; i++) {
      all.push(await listen(server, gzip));
    }
  };
  return Promise.all([...Array(50)].map(some)).then(() => all);
};

// Microseconds of the server's processor for a flush to one listener.
async function cpuPerSend(server, gathered, gzip) {
  const listeners = await listenAll(server, gzip, LISTENERS);
  const total = () => listeners.reduce((sum, listener) => sum + listener.bytes, 0);
  await publish(server, gathered);
  const before = ticks(server.pid);
  for (let round = 0; round < ROUNDS; round++) {
    const had = total();
    await publish(server, gathered);
    await until(() => listeners.at(-1).bytes > 0 && total() > had);
    await sleep(10);
  }
  const spent = ticks(server.pid) - before;
  listeners.forEach((listener) => listener.close());
  await sleep(100);
  return (spent * 10_000) / ROUNDS / LISTENERS;
}

async function cpu(gathered) {
  const server = await startFreshet();
  const plain = [];
  const shared = [];
  for (let turn = 0; turn < TURNS; turn++) {
    plain.push(await cpuPerSend(server, gathered, false));
    shared.push(await cpuPerSend(server, gathered, true));
  }
  await server.stop();
  return [plain, shared, plain.map((value, i) => shared[i] / value)].map(median);
}

async function memory(gzip) {
  const server = await startFreshet();
  const warm = await listenAll(server, gzip, 50);
  await publish(server, 1);
  await sleep(200);
  const before = resident(server.pid);
  const listeners = await listenAll(server, gzip, CROWD);
  await publish(server, 1);
  await sleep(500);
  const bytes = (resident(server.pid) - before) / CROWD;
  [...warm, ...listeners].forEach((listener) => listener.close());
  await server.stop();
  return bytes;
}

console.log(`## Compression\n\n${machine()}\n`);
const rows = [];
for (const gathered of [1, 4, 16]) {
  const [plain, shared, own] = await bytesOnTheWire(gathered);
  const [plainCpu, sharedCpu, ratio] = await cpu(gathered);
  rows.push([gathered, number(plain, 0), `${number(shared, 0)} (${number(shared / plain, 2)})`, `${number(own, 0)} (${number(own / plain, 2)})`,
    number(plainCpu, 2), number(sharedCpu, 2), `${number(ratio, 2)} ×`]);
}
console.log(markdown(['events a flush', 'bytes an event, plain', 'shared', 'a context of its own', 'CPU for a send to one of 1,000, plain, µs',
  'shared, µs', 'median of ratios'], rows));
if (!short) {
  console.log(`\nMemory for an idle listener, one of ${CROWD}: plain ${number(await memory(false), 0)} bytes, compressed ` +
    `${number(await memory(true), 0)}; a deflate context of its own takes 268,000.`);
}
process.exit(0);
