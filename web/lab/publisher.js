// Publishes numbered messages and status lines at the rates that the visitor chose. What comes while a request is under
// way is sent together with the next; a request that failed is sent again under the same key, so that no number is left
// out and none is published twice. It holds back more than a bounded number.

import { now } from './measures.js';
import { Refusal } from './endpoint.js';

const QUEUE = 1000;
const BATCH = 100;
const PAUSE_MS = 500;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Text that does not compress away.
function filling(bytes) {
  const random = crypto.getRandomValues(new Uint8Array(Math.ceil((bytes * 3) / 4)));
  return btoa(String.fromCharCode(...random)).slice(0, bytes);
}

export class Publisher {
  self = Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  published = 0; // what the server has acknowledged
  skipped = 0; // not published, because the server did not keep up
  problem = '';
  running = false;
  size = 0; // bytes to add to each message
  messageMs = 2000;
  statusMs = 5000;
  #sequence = 0;
  #queue = [];
  #timers = [];
  #pumping = Promise.resolve();
  #isBusy = false;
  #batches = 0;

  // `changed` is called after every change, `refused` when a number was given away that will not come.
  constructor(endpoint, { changed, refused }) {
    Object.assign(this, { endpoint, changed, refused });
  }

  // Something is under way, or waits for its turn.
  get busy() {
    return this.#isBusy;
  }

  start() {
    this.running = true;
    this.problem = '';
    this.#restartTimers();
    this.#tick('message', 'hello');
    this.changed();
  }

  // Resolves when nothing is under way any more.
  stop() {
    this.running = false;
    this.#restartTimers();
    this.changed();
    return this.#pumping;
  }

  setRates(messageMs, statusMs) {
    Object.assign(this, { messageMs, statusMs });
    this.#restartTimers();
  }

  #restartTimers() {
    this.#timers.forEach(clearInterval);
    this.#timers = this.running ? [
      setInterval(() => this.#tick('message', `message to ${this.endpoint.topic}`), this.messageMs),
      setInterval(() => this.#tick('status', `${this.published} published so far`), this.statusMs),
    ] : [];
  }

  // Publishes one; resolves with its number when the server has it, rejects when it was not taken.
  say(kind, text) {
    return new Promise((resolve, reject) => {
      if (this.#queue.length >= QUEUE) {
        this.skipped++;
        reject(new Error('too many messages wait to be published'));
        return;
      }
      this.#queue.push({ kind, text, resolve, reject });
      this.#isBusy || (this.#pumping = this.#pump());
    });
  }

  // One of a steady flow, of which nobody waits for the answer.
  #tick(kind, text) {
    this.say(kind, text).catch(() => {});
  }

  async #pump() {
    this.#isBusy = true;
    while (this.#queue.length) {
      await this.#send(this.#queue.splice(0, BATCH));
    }
    this.#isBusy = false;
    this.changed();
  }

  #compose({ kind, text }) {
    const data = { from: this.self, seq: ++this.#sequence, sentAt: now(), kind, text: text + (this.size ? ` ${filling(this.size)}` : '') };
    return { topic: this.endpoint.topic, data, ...(kind === 'status' ? { event: 'status' } : {}) };
  }

  async #send(batch) {
    const items = batch.map((each) => this.#compose(each));
    const key = `${this.self}-${this.#batches++}`;
    for (;;) {
      try {
        const answers = await (await this.endpoint.publish(items, key)).json();
        this.#settle(batch, items, answers);
        return;
      } catch (error) {
        this.problem = error.message;
        this.changed();
        if (error instanceof Refusal && error.isFinal) {
          this.#giveUp(batch, error);
          return;
        }
        await pause(PAUSE_MS);
      }
    }
  }

  // An item that was refused leaves a hole in the numbers.
  #settle(batch, items, answers) {
    const refused = answers.find(({ error }) => error);
    const problem = refused && new Refusal(refused.status, `${refused.status}: ${refused.error}`);
    this.published += answers.filter(({ id }) => id).length;
    this.problem = problem ? problem.message : '';
    batch.forEach(({ resolve, reject }, index) => (answers[index].id ? resolve(items[index].data.seq) : reject(problem)));
    problem?.isFinal && this.stop();
    problem && this.refused();
    this.changed();
  }

  #giveUp(batch, error) {
    batch.forEach(({ reject }) => reject(error));
    this.#queue.splice(0).forEach(({ reject }) => reject(error));
    this.stop();
    this.refused();
  }
}
