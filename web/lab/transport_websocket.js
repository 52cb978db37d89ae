// WebSocket: a message is an event as JSON. It does not come back by itself.

import { webSocketBytes } from './wire.js';

export class WebSocketTransport {
  static label = 'WebSocket';
  static api = 'WebSocket';

  #socket;

  constructor(endpoint, handlers) {
    this.endpoint = endpoint;
    this.handlers = handlers;
  }

  async open(topics, { name, cursor }) {
    const admission = await this.endpoint.admission();
    if (this.closed) {
      return;
    }
    const url = this.endpoint.eventsUrl(topics, { control: 1, last_event_id: cursor, lab: name, ...admission });
    url.protocol = url.protocol.replace('http', 'ws');
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => this.handlers.opened();
    this.#socket.onmessage = ({ data }) => this.#onMessage(data);
    this.#socket.onclose = ({ code, reason }) => this.#onClose(code, reason);
  }

  #onMessage(text) {
    const { id, event, data } = JSON.parse(text);
    // What has no type is an answer to somebody who asked on this socket; nobody does.
    event && this.handlers.event({ id, type: event, data, bytes: webSocketBytes(text) });
  }

  // 1006 is what a browser says when there was no close, or no handshake at all: it does not tell why.
  #onClose(code, reason) {
    const error = code === 1006 ? undefined : new Error(`closed with ${code}${reason ? `: ${reason}` : ''}`);
    this.closed || this.handlers.lost(error, false);
  }

  close() {
    this.closed = true;
    this.#socket?.close();
  }
}
