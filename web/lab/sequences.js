// Which numbers of each publisher came: what is missing between them, and what came twice. The first number that is seen
// of a publisher is where its count begins. It keeps a bounded number of publishers, and of numbers that are missing.

const PUBLISHERS = 64;
const MISSING = 10_000;

export class Sequences {
  repeated = 0;
  #publishers = new Map(); // to { newest, missing }
  #lost = 0; // of what was forgotten, too

  get lost() {
    return this.#lost;
  }

  // Notes that this number came; false when it had come before.
  note(publisher, number) {
    const known = this.#publishers.get(publisher);
    if (!known) {
      this.#begin(publisher, number);
      return true;
    }
    if (number > known.newest) {
      this.#skip(known, number);
      return true;
    }
    if (known.missing.delete(number)) {
      this.#lost--;
      return true;
    }
    this.repeated++;
    return false;
  }

  // Counts begin anew with what comes next, because nobody listened meanwhile; the sums stay.
  restart() {
    this.#publishers.clear();
  }

  #begin(publisher, number) {
    if (this.#publishers.size === PUBLISHERS) {
      this.#publishers.delete(this.#publishers.keys().next().value);
    }
    this.#publishers.set(publisher, { newest: number, missing: new Set() });
  }

  #skip(known, number) {
    this.#lost += number - known.newest - 1;
    const from = Math.max(known.newest + 1, number - MISSING);
    for (let each = from; each < number; each++) {
      known.missing.size === MISSING && known.missing.delete(known.missing.values().next().value);
      known.missing.add(each);
    }
    known.newest = number;
  }
}
