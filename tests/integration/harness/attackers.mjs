// Many bad peers at once: heads that do not end, bodies that do not come, listeners that do not read, and connections
// that come and go. Who is thrown out comes back. For tests, and for bench/attack.mjs.

import net from 'node:net';

const COME_BACK_MS = 200; // at most
const DRIP_MS = 100;

const slowHead = (socket) => socket.write('GET /events/a HTTP/1.1\r\nHost: localhost\r\nX: x');
const slowBody = (socket) => socket.write('POST /events/attack HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx');

function slowRead(socket, path) {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
  socket.pause();
}

function flood(socket, path, number) {
  if (number % 2) {
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.once('data', () => socket.resetAndDestroy());
  } else {
    socket.resetAndDestroy();
  }
}

const kinds = { slowHead, slowBody, slowRead, flood };
export const attackKinds = Object.keys(kinds);

export class Attack {
  // From these addresses in turn, of these kinds in turn; `path` is what those who do not read listen to.
  constructor({ port }, count, { addresses = ['127.0.0.2'], path = '/events/a', only = attackKinds } = {}) {
    this.port = port;
    this.addresses = addresses;
    this.path = path;
    this.sockets = new Set();
    this.dripping = new Set();
    this.counts = { connected: 0, ended: 0 };
    this.stopped = false;
    for (let number = 0; number < count; number++) {
      this.#open(number, only[number % only.length]);
    }
    this.drip = setInterval(() => this.dripping.forEach((socket) => socket.write('x')), DRIP_MS);
  }

  // Connections that are there now.
  get open() {
    return this.sockets.size;
  }

  #open(number, kind) {
    if (this.stopped) {
      return;
    }
    const localAddress = this.addresses[number % this.addresses.length];
    const socket = net.connect({ port: this.port, host: '127.0.0.1', localAddress });
    socket.on('error', () => {});
    socket.once('connect', () => {
      this.counts.connected++;
      this.sockets.add(socket);
      if (kind.startsWith('slow') && kind !== 'slowRead') {
        this.dripping.add(socket);
      }
      kinds[kind](socket, this.path, number);
    });
    if (kind !== 'slowRead') {
      socket.on('data', () => {});
    }
    socket.once('end', () => socket.destroy());
    socket.once('close', () => {
      this.counts.ended++;
      this.sockets.delete(socket);
      this.dripping.delete(socket);
      // A pace as well: who came back at once would only attack the attackers' own processor.
      setTimeout(() => this.#open(number, kind), Math.random() * COME_BACK_MS).unref();
    });
  }

  stop() {
    this.stopped = true;
    clearInterval(this.drip);
    this.sockets.forEach((socket) => socket.destroy());
  }
}
