// One client of the lab: a transport that is kept open, what it measures, and its state. Where the transport does not come
// back by itself the lane opens another, after a pause that grows; with the last id, or, to show what that loses, without.

import { Measures, now } from './measures.js';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 10_000;
const LONG_MS = 3000;

function parse(data) {
  try {
    const { from, seq, sentAt, kind } = JSON.parse(data);
    const good = typeof from === 'string' && Number.isSafeInteger(seq) && Number.isFinite(sentAt);
    return good ? { from: from.slice(0, 16), seq, sentAt, kind: String(kind) } : undefined;
  } catch {
    return undefined; // others may publish what they like to this topic
  }
}

export class Lane {
  state = 'closed'; // connecting, open, error
  reason = '';
  measures = new Measures();
  wanted = false;
  streamName = undefined; // what freshet.connection told: by it the server ends the stream
  last = undefined; // the newest message
  #transport;
  #cursor;
  #startedAt; // undefined while the browser decides when
  #wasOpen = false;
  #failures = 0;
  #timer;
  #hold = Promise.resolve();
  #watchers = new Set();

  constructor({ name, Transport, endpoint, self, resume = true }) {
    Object.assign(this, { name, Transport, endpoint, self, resume });
  }

  get label() {
    return this.resume ? this.Transport.label : `${this.Transport.label}, no resume`;
  }

  // Calls it after every change, until what it returns is called.
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  // Resolves with true when it holds, with false when that takes too long.
  until(check, ms) {
    return new Promise((resolve) => {
      const finish = (result) => {
        stop();
        clearTimeout(timer);
        resolve(result);
      };
      const look = () => check(this) && finish(true);
      const timer = setTimeout(() => finish(false), ms);
      const stop = this.watch(look);
      look();
    });
  }

  // It has been trying for some seconds, and neither got in nor was refused.
  get isWaiting() {
    return this.state === 'connecting' && this.#startedAt !== undefined && now() - this.#startedAt > LONG_MS;
  }

  // From now on.
  connect() {
    this.#cursor = undefined;
    this.measures.sequences.restart();
    this.#start();
  }

  disconnect() {
    this.#stop();
    this.#set('closed', '');
  }

  // Steps aside for an experiment that needs its connection; go() goes on where it was.
  pause() {
    this.#stop();
    this.#set('closed', 'stepped aside for the experiment');
    return { go: () => (this.resume ? this.#start() : this.connect()) };
  }

  // Breaks it as the network would. The server does it where it may be asked to; returns who did.
  async cut() {
    if (this.streamName) {
      try {
        await this.endpoint.endStream(this.streamName, `${this.endpoint.topic}/${this.self}-${this.name}`);
        return 'the server';
      } catch {
        // Without the right to it, or on a server that cannot: the page does it.
      }
    }
    this.#transport?.close();
    this.#onLost(new Error('cut by this page'), false);
    return 'this page';
  }

  // It does not open again before this promise is settled; an EventSource does what it likes.
  hold(promise) {
    this.#hold = promise;
  }

  #start() {
    this.wanted = true;
    this.#wasOpen = false;
    this.#failures = 0;
    this.#open();
  }

  #stop() {
    this.wanted = false;
    clearTimeout(this.#timer);
    this.#transport?.close();
    this.#transport = undefined;
    this.streamName = undefined;
    this.measures.closed();
  }

  #open() {
    const transport = new this.Transport(this.endpoint, {
      opened: () => this.#mine(transport) && this.#onOpened(),
      event: (event) => this.#mine(transport) && this.#onEvent(event),
      cursor: (cursor) => { this.#cursor = cursor; },
      lost: (error, comesBack) => this.#mine(transport) && this.#onLost(error, comesBack),
    });
    this.#transport = transport;
    this.#startedAt = now();
    this.#set('connecting', '');
    transport.open([this.endpoint.topic], { name: this.name, cursor: this.resume ? this.#cursor : undefined, resume: this.resume })
      .catch((error) => this.#mine(transport) && this.#onLost(error, false));
  }

  #mine(transport) {
    return this.#transport === transport && this.wanted;
  }

  #onOpened() {
    this.#failures = 0;
    this.measures.reconnects += this.#wasOpen ? 1 : 0;
    this.#wasOpen = true;
    this.measures.opened(this.#startedAt && now() - this.#startedAt);
    this.#set('open', '');
  }

  #onEvent({ id, type, data, bytes }) {
    this.measures.wire.add(bytes);
    if (type === 'freshet.connection') {
      const { connection, cursor } = JSON.parse(data);
      this.streamName = connection;
      this.#cursor ??= cursor;
    } else if (type === 'freshet.gap') {
      this.measures.gaps++;
    }
    this.#cursor = id ?? this.#cursor;
    const message = type.startsWith('freshet.') ? undefined : parse(data);
    if (message) {
      this.measures.take(message, message.from === this.self);
      this.last = message;
    }
    this.#changed();
  }

  async #onLost(error, comesBack) {
    const transport = this.#transport;
    this.streamName = undefined;
    this.measures.closed();
    if (comesBack) {
      this.#startedAt = undefined;
      this.#set('connecting', 'lost; the browser comes back by itself');
      return;
    }
    transport.close();
    this.#set('error', error?.message ?? 'lost');
    const why = error ?? await this.endpoint.explain([this.endpoint.topic]);
    if (this.#mine(transport)) {
      why.isFinal ? this.#giveUp(why) : this.#comeBack(why);
    }
  }

  #giveUp(why) {
    this.#stop();
    this.#set('error', why.message);
  }

  #comeBack(why) {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2);
    this.#failures++;
    this.#set('error', `${why.message}; the page tries again`);
    const held = this.#hold;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => held.then(() => this.wanted && this.state === 'error' && this.#open()), pause);
  }

  #set(state, reason) {
    this.state = state;
    this.reason = reason;
    this.#changed();
  }

  #changed() {
    for (const watcher of [...this.#watchers]) {
      watcher(this);
    }
  }
}
