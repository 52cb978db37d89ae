// Server-sent events, by the browser's own EventSource. It comes back by itself, with the last id as a header; only when
// the browser gives up (any status but 200) the page has to go on with another one.

import { eventStreamBytes } from './wire.js';

const types = ['message', 'status', 'freshet.connection', 'freshet.gap'];

export class EventSourceTransport {
  static label = 'Server-sent events';
  static api = 'EventSource';

  #source;

  // `handlers` are opened(), event({ id, type, data, bytes }) and lost(error, comesBack).
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
    this.#source = new EventSource(url);
    this.#source.onopen = () => this.handlers.opened();
    this.#source.onerror = () => this.#onError();
    for (const type of types) {
      this.#source.addEventListener(type, (event) => this.#onEvent(type, event));
    }
  }

  #onEvent(type, { lastEventId, data }) {
    const isControl = type.startsWith('freshet.');
    const event = { id: isControl ? undefined : lastEventId, type, data };
    this.handlers.event({ ...event, bytes: eventStreamBytes(event) });
  }

  #onError() {
    const comesBack = this.#source.readyState !== EventSource.CLOSED;
    this.handlers.lost(undefined, comesBack);
  }

  close() {
    this.closed = true;
    this.#source?.close();
  }
}
