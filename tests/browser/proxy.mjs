// A TCP proxy between a client and the server, so that the way between them can be cut and restored while both live.

import net from 'node:net';

export class Proxy {
  constructor(target) {
    this.target = target;
    this.port = 0;
    this.sockets = new Set();
    this.accepted = 0;
  }

  #join(client) {
    this.accepted++;
    const upstream = net.connect(this.target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  }

  // Lets connections through; always on the same port.
  async open() {
    this.server = net.createServer((client) => this.#join(client));
    await new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = this.server.address().port;
    return this;
  }

  // Breaks every connection and refuses new ones.
  async cut() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) {
      socket.resetAndDestroy();
    }
    await closed;
  }
}

export async function openProxy(t, target) {
  const proxy = await new Proxy(target).open();
  t.after(() => proxy.cut());
  return proxy;
}
