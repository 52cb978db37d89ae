// Listens for all tabs: as a SharedWorker there is one of it, and so one connection, however many tabs are open (over
// HTTP/1.1 a browser opens six to a server, and the seventh tab would hang). Where there are no shared ones, each tab
// has one as a Worker of its own. It keeps the list, and tells its tabs whenever that changes.

const freshet = '{{freshet}}';
const tabs = new Set();
const notes = new Map();
let user = '';
let state = 'connecting';
let lastId = '';
let source;

function tell(tab) {
  tab.postMessage({ state, notes: [...notes.values()].sort((a, b) => b.at - a.at) });
}

function change(act) {
  act();
  tabs.forEach(tell);
}

function setState(name) {
  change(() => {
    state = name;
  });
}

// What was before: the list, and the event up to which it has everything.
async function load() {
  const answer = await fetch('/notifications');
  if (!answer.ok) {
    throw new Error(`notifications: ${answer.status}`);
  }
  const { cursor, notes: list } = await answer.json();
  notes.clear();
  list.forEach((note) => notes.set(note.id, note));
  lastId = cursor;
}

function connect() {
  const url = new URL(`${freshet}/events/users/${user}/notifications`);
  url.searchParams.set('last_event_id', lastId);
  source = new EventSource(url, { withCredentials: true }); // with the cookie, although freshet is of another origin
  const on = (type, act) => source.addEventListener(type, (event) => {
    lastId = event.lastEventId;
    change(() => act(JSON.parse(event.data)));
  });
  on('note', (note) => notes.set(note.id, note)); // by id: hearing it twice would change nothing
  on('read', ({ ids }) => ids.forEach((id) => notes.has(id) && (notes.get(id).read = true)));
  source.addEventListener('freshet.gap', () => load().then(() => setState('open'))); // then the list itself says what there is
  source.onopen = () => setState('open');
  source.onerror = () => {
    setState('lost');
    if (source.readyState === EventSource.CLOSED) { // refused: the token has ended, perhaps
      setTimeout(renew, 1000);
    }
  };
}

async function renew() {
  const answer = await fetch('/token', { method: 'POST' }).catch(() => undefined);
  if (answer?.status === 401) {
    setState('logged out');
  } else if (answer?.ok) {
    connect();
  } else {
    setTimeout(renew, 5000);
  }
}

function start(name) {
  user = name;
  load().then(connect, () => setTimeout(start, 5000, name));
}

function serve(tab) {
  tab.onmessage = ({ data }) => {
    if (data.hello) {
      tabs.add(tab);
      user ? tell(tab) : start(data.hello);
    } else if (data.bye) {
      tabs.delete(tab); // when none is left, the browser ends a shared worker, and with it the connection
    }
  };
}

if ('onconnect' in self) {
  self.onconnect = ({ ports: [tab] }) => serve(tab);
} else {
  serve(self);
}
