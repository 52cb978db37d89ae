// Requests to the server that the page came from, with the token if there is one. Paths are relative to the page, so that
// a proxy may serve all of it below a path of its own.

import { authorised, wantToken } from './session.js';

export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

// What the server says in a problem document, or its status.
export async function refusalOf(response) {
  const detail = await response.json().then((problem) => problem.detail ?? problem.title, () => undefined);
  if (response.status === 401 || response.status === 403) {
    wantToken();
  }
  return new Refusal(response.status, detail ?? `${response.status} ${response.statusText}`);
}

async function ask(path, { headers, ...options } = {}) {
  const response = await fetch(path, { ...options, headers: authorised(headers), cache: 'no-store' });
  if (!response.ok) {
    throw await refusalOf(response);
  }
  return response.status === 204 ? undefined : response.json();
}

export const encodeTopic = (topic) => topic.split('/').map(encodeURIComponent).join('/');

// `*` and `**` as a whole segment stand for topics; nothing can be published to a pattern.
export const isPattern = (topic) => topic.split('/').some((segment) => segment === '*' || segment === '**');

export const getJson = (path, signal) => ask(path, { headers: { Accept: 'application/json' }, signal });

// What there is to publish: { data, event, key }.
export function publish(topic, { data, ...parameters }) {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
  return ask(publishPath(topic, parameters), { method: 'POST', headers, body: data });
}

export function publishPath(topic, parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)).toString();
  return `events/${encodeTopic(topic)}${query ? `?${query}` : ''}`;
}

export const closeConnection = (id) => ask(`api/connections/${id}`, { method: 'DELETE' });
