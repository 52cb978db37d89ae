#!/usr/bin/env node
// npm's eventsource-parser over the same events as bench/parser.c has: 200 bytes each, fed in pieces of 64 KB. It comes
// with the modules of the tests, which `make bench` installs if it can; without it the line says that it was skipped.
//
// usage: bench/parser.mjs [FOLDER]

import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const EVENT_SIZE = 200;
const EVENTS = 5000;
const ROUNDS = 100;
const PIECE = 65536;

const folder = path.resolve(process.argv[2] ?? 'tests');
let createParser;
try {
  const entry = createRequire(path.join(folder, 'package.json')).resolve('eventsource-parser');
  ({ createParser } = await import(pathToFileURL(entry)));
} catch {
  console.log('bench=eventsource-parser skipped=not-installed');
  process.exit(0);
}

function event(n) {
  const head = `id: 1700000000${String(n % 1000).padStart(3, '0')}-${n % 10}\nevent: tick\ndata: `;
  const text = '{"symbol":"FRST","price":101.25,"volume":4200,"side":"buy"},'.repeat(4);
  return `${head}${text.slice(0, EVENT_SIZE - head.length - 2)}\n\n`;
}

const stream = Buffer.from(Array.from({ length: EVENTS }, (_, n) => event(n)).join(''));
let events = 0;
const parser = createParser({ onEvent: () => { events++; } });
const decoder = new TextDecoder();
const start = process.cpuUsage();
for (let round = 0; round < ROUNDS; round++) {
  for (let at = 0; at < stream.length; at += PIECE) {
    parser.feed(decoder.decode(stream.subarray(at, at + PIECE), { stream: true }));
  }
}
const { user, system } = process.cpuUsage(start);
const ns = (user + system) * 1000;
console.log(`bench=eventsource-parser feed=${PIECE} events=${events} parser_gb_per_s=${((stream.length * ROUNDS) / ns).toFixed(3)} ns_per_event=${(ns / events).toFixed(1)}`);
