// Breaks every open connection, publishes while all are away, lets them come back, and says of each what it got. A server
// that this page may ask ends the streams itself, so that the browser's own EventSource is broken too and does not know
// why; where it may not, the page closes them. A poll is always cut by the page.

const WHILE_AWAY = 5;
const DOWN_MS = 20_000;
const BACK_MS = 45_000;
const MARKER_MS = 15_000;

function ledger(lane) {
  const { measures } = lane;
  const before = { lost: measures.sequences.lost, repeated: measures.sequences.repeated, gaps: measures.gaps };
  const numbers = new Set();
  const stop = lane.watch(({ last, self }) => last?.from === self && numbers.add(last.seq));
  return { before, numbers, stop };
}

function howBack({ resume, Transport }, by) {
  if (!resume) {
    return 'the page, from now on';
  }
  return Transport.api === 'EventSource' && by === 'the server' ? 'the browser, with its last id' : 'the page, with the last id';
}

function report(lane, { before, numbers }, by, away, isBack) {
  const { measures } = lane;
  return {
    label: lane.label,
    by,
    back: isBack ? howBack(lane, by) : 'not yet',
    awayMs: isBack ? measures.awayMs : undefined,
    published: away.length,
    arrived: away.filter((number) => numbers.has(number)).length,
    lost: measures.sequences.lost - before.lost,
    repeated: measures.sequences.repeated - before.repeated,
    gaps: measures.gaps - before.gaps,
  };
}

// `say` is told what is going on; returns a row for each lane that was open.
export async function breakConnections(lanes, publisher, say) {
  const open = lanes.filter(({ state }) => state === 'open');
  if (!open.length) {
    throw new Error('Nothing is connected. Connect first, then break it.');
  }
  const ledgers = open.map(ledger);
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  open.forEach((lane) => lane.hold(held));
  try {
    say('Breaking the connections …');
    const by = await Promise.all(open.map((lane) => lane.cut()));
    await Promise.all(open.map((lane) => lane.until(({ state }) => state !== 'open', DOWN_MS)));
    say(`All are away; publishing ${WHILE_AWAY} messages …`);
    const away = await Promise.all(Array.from({ length: WHILE_AWAY }, (_, i) =>
      publisher.say('away', `published while they were away, ${i + 1} of ${WHILE_AWAY}`)));
    release();
    say('Waiting until all are back …');
    await Promise.all(open.map((lane) => lane.until(({ state, wanted }) => state === 'open' || !wanted, BACK_MS)));
    const back = open.map(({ state }) => state === 'open');
    const marker = await publisher.say('marker', 'everybody is back');
    const hasMarker = ({ numbers }) => [...numbers].some((number) => number >= marker);
    await Promise.all(open.map((lane, i) => back[i] && lane.until(() => hasMarker(ledgers[i]), MARKER_MS)));
    return open.map((lane, i) => report(lane, ledgers[i], by[i], away, back[i]));
  } finally {
    release();
    ledgers.forEach(({ stop }) => stop());
  }
}
