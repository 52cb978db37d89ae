#!/usr/bin/env node
// What an event takes on the wire: JSON of 250 bytes, 1, 4 and 16 in a flush; as it is, packed by freshet for all
// listeners together, and as a gzip stream with a context of its own for each listener would pack the same flushes
// (computed here, at zlib's own level 6). Counts bytes only, so that a busy machine does not matter.
//
// usage: bench/bytes.mjs [--short]      BENCH_BUILD=build-bench

import http from 'node:http';
import zlib from 'node:zlib';
import { markdown, number, startFreshet } from './lab.mjs';

const events = process.argv.includes('--short') ? 800 : 8000;
const SIZE = 250;

// The same numbers in every run.
let state = 1;
function below(most) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * most);
}

const word = (letters) => Array.from({ length: letters }, () => String.fromCharCode(97 + below(26))).join('');

function makeEvent(sequence) {
  const value = {
    type: 'trade', symbol: word(4).toUpperCase(), sequence, price: below(100000) / 100, volume: below(10000), side: below(2) ? 'buy' : 'sell',
    at: new Date(Date.UTC(2026, 0, 1) + sequence * 137).toISOString(), venue: ['north', 'south', 'east'][below(3)], buyer: word(8), seller: word(8), note: '',
  };
  value.note = word(SIZE - JSON.stringify(value).length);
  return JSON.stringify(value);
}

// A listener that counts what its body takes and how many events are in it. `next` waits for so many.
function listen(server, packed) {
  return new Promise((resolve, reject) => {
    const headers = packed ? { 'accept-encoding': 'gzip' } : {};
    http.get({ port: server.port, path: '/events/bytes', headers, agent: false }, (response) => {
      const listener = { bytes: 0, events: 0, pieces: [], packed: response.headers['content-encoding'] === 'gzip', wake: () => {} };
      const text = listener.packed ? response.pipe(zlib.createGunzip({ flush: zlib.constants.Z_SYNC_FLUSH })) : response;
      let rest = '';
      response.on('data', (piece) => {
        listener.bytes += piece.length;
        if (!listener.packed) {
          listener.pieces.push(piece);
        }
      });
      text.on('data', (piece) => {
        const blocks = (rest + piece).split('\n\n');
        rest = blocks.pop();
        listener.events += blocks.length;
        listener.wake();
      });
      text.on('error', () => {});
      listener.next = (count) => new Promise((done) => {
        listener.wake = () => listener.events >= count && done();
        listener.wake();
      });
      listener.stop = () => response.destroy();
      resolve(listener);
    }).on('error', reject);
  });
}

function publish(server, batch) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port: server.port, method: 'POST', path: '/events', headers: { 'content-type': 'application/json' } }, (response) => {
      response.resume().on('end', resolve);
    });
    request.on('error', reject);
    request.end(JSON.stringify(batch.map((data) => ({ topic: 'bytes', data }))));
  });
}

// What a gzip stream of its own makes of these flushes.
async function ownContext(flushes) {
  const gzip = zlib.createGzip();
  let bytes = 0;
  gzip.on('data', (piece) => { bytes += piece.length; });
  for (const flush of flushes) {
    gzip.write(flush);
    await new Promise((resolve) => { gzip.flush(zlib.constants.Z_SYNC_FLUSH, resolve); });
  }
  gzip.destroy();
  return bytes;
}

async function measure(each) {
  const server = await startFreshet();
  const [plain, packed] = [await listen(server, false), await listen(server, true)];
  const flushes = [];
  const [plainBefore, packedBefore] = [plain.bytes, packed.bytes];
  for (let sent = 0; sent < events; sent += each) {
    plain.pieces.length = 0;
    await publish(server, Array.from({ length: each }, (_, i) => makeEvent(sent + i)));
    await Promise.all([plain.next(sent + each), packed.next(sent + each)]);
    flushes.push(Buffer.concat(plain.pieces));
  }
  const bytes = [plain.bytes - plainBefore, packed.packed ? packed.bytes - packedBefore : NaN, await ownContext(flushes)];
  plain.stop();
  packed.stop();
  await server.stop();
  const [asIs, ...others] = bytes;
  return [String(each), number(asIs / events), ...others.map((count) => (Number.isNaN(count) ? '–' : `${number(count / events)} (${number((100 * count) / asIs, 0)} %)`))];
}

const rows = [];
for (const each of [1, 4, 16]) {
  rows.push(await measure(each));
}
console.log(`## Bytes on the wire\n\nFor an event of ${SIZE} bytes of JSON, with its lines:\n`);
console.log(markdown(['events a flush', 'plain', 'gzip, shared', 'gzip, a context of its own'], rows));
if (rows.some((row) => row[2] === '–')) {
  console.log('\nThis build sends nothing packed.');
}
