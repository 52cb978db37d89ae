// The transport lab: three transports side by side on one topic, measured in this page. This file puts it together: the
// clients, the publisher, the experiments, and what shows them.

import { announce, make, setText } from '../shared/dom.js';
import { count } from '../shared/format.js';
import { useCopyButton } from '../shared/copy.js';
import { useThemeButton } from '../shared/theme.js';
import { Endpoint } from './endpoint.js';
import { breakConnections } from './experiment_break.js';
import { COUNT, openTwelve, protocol, protocolName } from './experiment_twelve.js';
import { breakTable, context, markdown, transportsTable, twelveTable } from './findings.js';
import { Lane } from './lane.js';
import { createPlot } from './plot.js';
import { Publisher } from './publisher.js';
import { EventSourceTransport } from './transport_event_source.js';
import { PollTransport } from './transport_poll.js';
import { WebSocketTransport } from './transport_websocket.js';
import { createCard } from './view_card.js';
import { createFindings } from './view_findings.js';
import { tableOf } from './view_table.js';
import { watchResponses } from './wire.js';

const SHOW_MS = 200;
const FIRST_MS = 8000;

const byId = (id) => document.getElementById(id);
const endpoint = new Endpoint();
const publisher = new Publisher(endpoint, { changed: showPublisher, refused: forgive });
const { self } = publisher;

const lane = (name, Transport, resume = true) => new Lane({ name, Transport, endpoint, self, resume });
const sse = lane('sse', EventSourceTransport);
const socket = lane('ws', WebSocketTransport);
const poll = lane('poll', PollTransport);
const naiveSocket = lane('ws-naive', WebSocketTransport, false);
const naivePoll = lane('poll-naive', PollTransport, false);
const twins = new Map([[socket, naiveSocket], [poll, naivePoll]]);
const lanes = [sse, socket, poll, naiveSocket, naivePoll];
const results = { broken: undefined, twelve: undefined };
let begun = false; // something has been published, or is about to

// --- what the visitor may do ---

const enabledOf = (main) => [main, twins.get(main)].filter((each) => each && (each.resume || each.enabled));

function connect(main) {
  endpoint.topic = byId('topic').value.trim() || endpoint.topic;
  endpoint.token = byId('token').value.trim();
  enabledOf(main).filter(({ wanted }) => !wanted).forEach((each) => each.connect());
  begin();
}

// The first message waits for those who are being connected, so that all of them hear it.
async function begin() {
  if (!begun) {
    begun = true;
    await Promise.resolve();
    const wanted = lanes.filter((each) => each.wanted);
    await Promise.all(wanted.map((each) => each.until(({ state }) => state !== 'connecting', FIRST_MS)));
    publisher.running || publisher.start();
  }
}

// A number that was refused is missing for everybody, which is no fault of a transport.
function forgive() {
  lanes.forEach(({ measures }) => measures.sequences.restart());
  begun = publisher.running;
}

function disconnect(main) {
  enabledOf(main).forEach((each) => each.disconnect());
}

function useTwins(on) {
  for (const [main, twin] of twins) {
    twin.enabled = on;
    if (!on) {
      twin.disconnect();
    } else if (main.wanted) {
      twin.connect();
    }
  }
}

function useRates() {
  publisher.setRates(Number(byId('message-rate').value), Number(byId('status-rate').value));
  publisher.size = Number(byId('size').value);
}

// A button that runs an experiment: disabled meanwhile, and what goes wrong is said beside it.
function useExperiment(name, run) {
  const say = (text) => setText(byId(`${name}-says`), text);
  byId(name).addEventListener('click', async () => {
    const experiments = ['break', 'twelve'].map(byId);
    experiments.forEach((each) => { each.disabled = true; });
    try {
      const table = await run(say);
      byId(`${name}-table`).replaceChildren(tableOf(table));
      announce(`${table.title}: done`);
      say('');
    } catch (error) {
      say(error.message);
    } finally {
      experiments.forEach((each) => { each.disabled = false; });
      // What is disabled loses the focus; who has gone elsewhere meanwhile is left there.
      document.activeElement === document.body && byId(name).focus();
    }
  });
}

// --- what is shown ---

const cards = [
  { lane: sse, token: 'one', shape: 'circle' },
  { lane: socket, token: 'two', shape: 'square' },
  { lane: poll, token: 'three', shape: 'triangle' },
].map((each) => createCard({
  ...each,
  naive: twins.get(each.lane),
  toggle: (main) => (main.wanted ? disconnect(main) : connect(main)),
}));

const plot = createPlot(byId('plot'), [
  { lane: sse, token: 'accent', shape: 'circle' },
  { lane: socket, token: 'plot-2', shape: 'square' },
  { lane: poll, token: 'plot-3', shape: 'triangle' },
]);

const findings = createFindings(byId('findings'), byId('about'));
const shownLanes = () => lanes.filter((each) => each.resume || each.enabled);

function tables() {
  const { broken, twelve } = results;
  return [transportsTable(shownLanes()), broken && breakTable(broken), twelve && twelveTable(twelve)].filter(Boolean);
}

const about = () => context({ protocol: protocol(), topic: endpoint.topic, ...publisher });

function showDots(name, opened) {
  const dots = byId(`dots-${name}`);
  [...dots.children].forEach((dot, index) => dot.classList.toggle('on', index < opened));
  dots.setAttribute('aria-label', `${opened} of ${dots.children.length} are open`);
}

function showPublisher() {
  setText(byId('published'), count(publisher.published));
  byId('published').setAttribute('aria-busy', String(publisher.busy));
  setText(byId('publish'), publisher.running ? 'Pause' : 'Publish');
  const skipped = publisher.skipped ? `${count(publisher.skipped)} were not sent: the server did not keep up` : '';
  setText(byId('publish-problem'), publisher.problem || skipped);
  const someWanted = lanes.some(({ wanted }) => wanted);
  byId('topic').disabled = someWanted || publisher.running;
  byId('connect-all').disabled = [sse, socket, poll].every(({ wanted }) => wanted);
  byId('disconnect-all').disabled = !someWanted;
}

function show() {
  cards.forEach((card) => card.show());
  showPublisher();
  findings.show(transportsTable(shownLanes()), `${about()}.`);
  plot.draw();
  plot.describe();
}

// --- the beginning ---

function start() {
  useThemeButton(byId('theme'));
  byId('lanes').append(...cards.map(({ element }) => element));
  endpoint.topic = new URLSearchParams(location.search).get('topic') || `lab/${self}`;
  byId('topic').value = endpoint.topic;
  setText(byId('protocol'), protocolName(protocol()));
  for (const [name, size] of [['sources', COUNT], ['one', 1], ['sockets', COUNT]]) {
    byId(`dots-${name}`).append(...Array.from({ length: size }, () => make('i')));
    showDots(name, 0);
  }
  byId('connect-all').addEventListener('click', () => [sse, socket, poll].forEach(connect));
  byId('disconnect-all').addEventListener('click', () => [sse, socket, poll].forEach(disconnect));
  byId('publish').addEventListener('click', () => {
    begun = true;
    endpoint.topic = byId('topic').value.trim() || endpoint.topic;
    endpoint.token = byId('token').value.trim();
    publisher.running ? publisher.stop() : publisher.start();
  });
  byId('settings').addEventListener('submit', (event) => event.preventDefault());
  byId('twins').addEventListener('change', ({ target }) => useTwins(target.checked));
  ['message-rate', 'status-rate', 'size'].forEach((id) => byId(id).addEventListener('change', useRates));
  useExperiment('break', async (say) => {
    results.broken = await breakConnections(shownLanes(), publisher, say);
    return breakTable(results.broken);
  });
  useExperiment('twelve', async (say) => {
    ['sources', 'one', 'sockets'].forEach((name) => showDots(name, 0));
    say('The three clients step aside; opening twelve …');
    results.twelve = await openTwelve(lanes, publisher, endpoint, showDots);
    return twelveTable(results.twelve);
  });
  useCopyButton(byId('copy'), () => {
    show(); // what is copied is what is seen
    return markdown(about(), tables());
  });
  useTwins(byId('twins').checked);
  useRates();
  watchResponses((name, entry) => {
    const to = lanes.find((each) => each.name === name);
    to?.Transport.api === 'EventSource' && to.measures.wire.ended(entry);
    to?.Transport.api === 'fetch' && to.measures.wire.answered(entry);
  });
  show();
  setInterval(show, SHOW_MS);
}

start();
