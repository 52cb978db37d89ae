// Long poll: one request after the other, each from the cursor of the answer before. A client without resume asks for
// what comes from now on each time, as simple pollers do, and misses what is published between two requests.

const WAIT_SECONDS = 25;

export class PollTransport {
  static label = 'Long poll';
  static api = 'fetch';

  #abort = new AbortController();

  constructor(endpoint, handlers) {
    this.endpoint = endpoint;
    this.handlers = handlers;
  }

  // The first request does not wait, so that its answer says that the way is open.
  async open(topics, { name, cursor, resume }) {
    const page = await this.#ask(topics, { lab: name, last_event_id: cursor });
    if (this.closed) {
      return;
    }
    this.handlers.opened();
    this.#take(page, resume);
    this.#goOn(topics, name, resume ? page.next : undefined).catch((error) => this.closed || this.handlers.lost(error, false));
  }

  async #goOn(topics, name, cursor) {
    while (!this.closed) {
      const page = await this.#ask(topics, { lab: name, wait: WAIT_SECONDS, last_event_id: cursor });
      this.#take(page, cursor !== undefined);
      cursor = cursor && page.next;
    }
  }

  async #ask(topics, parameters) {
    const url = this.endpoint.eventsUrl(topics, { envelope: 1, ...parameters });
    const response = await this.endpoint.ask(url, { headers: { accept: 'application/json' }, signal: this.#abort.signal });
    return response.json();
  }

  #take({ events, next }, resume) {
    if (this.closed) {
      return;
    }
    for (const { id, event, data } of events) {
      this.handlers.event({ id, type: event, data, bytes: 0 });
    }
    resume && this.handlers.cursor(next);
  }

  close() {
    this.closed = true;
    this.#abort.abort();
  }
}
