// The freshet that this page came from: its addresses, what may be said to it, and why it refused. A token lives in this
// object and nowhere else; where a browser can send no header, a ticket stands for it.

const encodeTopic = (topic) => topic.split('/').map(encodeURIComponent).join('/');

// What a refusal says, in the server's own words.
async function reasonOf(response) {
  const problem = await response.json().catch(() => ({}));
  return `${response.status}: ${problem.detail ?? problem.title ?? response.statusText}`;
}

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  // Nothing but another token or topic would help.
  get isFinal() {
    return this.status === 400 || this.status === 401 || this.status === 403;
  }
}

export class Endpoint {
  topic = '';
  token = '';

  // Where to listen to these topics; `parameters` that are undefined are left out.
  eventsUrl(topics, parameters = {}) {
    const [first, ...others] = topics;
    const url = new URL(`events/${encodeTopic(first)}`, document.baseURI);
    others.forEach((topic) => url.searchParams.append('topic', topic));
    for (const [name, value] of Object.entries(parameters)) {
      value !== undefined && url.searchParams.set(name, value);
    }
    return url;
  }

  #headers(more = {}) {
    return this.token ? { ...more, authorization: `Bearer ${this.token}` } : more;
  }

  // A fetch with the token that throws a Refusal for what is not a success, and a plain Error when nobody answers.
  async ask(url, { headers, ...options } = {}) {
    const request = fetch(url, { cache: 'no-store', ...options, headers: this.#headers(headers) });
    const response = await request.catch((error) => {
      throw error.name === 'AbortError' ? error : new Error('the server does not answer');
    });
    if (!response.ok) {
      throw new Refusal(response.status, await reasonOf(response));
    }
    return response;
  }

  // The parameters that let a request without headers in: a ticket, good for one request.
  async admission() {
    if (!this.token) {
      return {};
    }
    const response = await this.ask(new URL('api/tickets', document.baseURI), { method: 'POST' });
    return { ticket: (await response.json()).ticket };
  }

  // A browser does not tell why an EventSource or a WebSocket failed; the same question by fetch is told.
  async explain(topics) {
    try {
      await this.ask(this.eventsUrl(topics, { lab: 'why' }), { headers: { accept: 'application/json' } });
      return new Error('the connection was lost');
    } catch (error) {
      return error;
    }
  }

  publish(items, key) {
    return this.ask(new URL('events', document.baseURI), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(items),
    });
  }

  // Has the server end the stream of this name, as a restart or a broken proxy would. It ends streams by a number that only
  // GET /api/connections tells, and that does not tell names; so the stream is marked by a topic of its own first.
  async endStream(name, mark) {
    const { href } = new URL('api/connections', document.baseURI);
    await this.ask(`${href}/${encodeURIComponent(name)}/topics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ add: [mark] }),
    });
    const { connections } = await (await this.ask(`${href}?${new URLSearchParams({ topic: mark })}`)).json();
    await this.ask(`${href}/${connections[0].id}`, { method: 'DELETE' });
  }
}
