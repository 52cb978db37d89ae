// How many events a second a topic gets, as far as what history tells of it says: how many more it has than when it was
// asked before, or, when it has dropped some since, how long ago the oldest one that it has was published.

const timeOf = (id) => Number(id.split('-')[0]);

export function createRates() {
  let before = new Map();
  let kept = new Map();
  return {
    // Of one topic of a page, NaN while it cannot be told.
    of({ topic, events, oldest, newest }, now = Date.now()) {
      const last = before.get(topic);
      kept.set(topic, { events, oldest, newest, at: now });
      if (!newest || last?.newest === newest) {
        return newest && !last ? NaN : 0;
      }
      if (last && last.oldest === oldest) {
        return ((events - last.events) * 1000) / Math.max(now - last.at, 1);
      }
      return last ? (events * 1000) / Math.max(timeOf(newest) - timeOf(oldest), 1) : NaN;
    },
    // A page is complete: what is not on it is forgotten.
    settle() {
      before = kept;
      kept = new Map();
    },
  };
}

export { timeOf };
