// The token, where the server asks for one: kept for this tab alone, gone with it. Whoever needs one says so by the event
// "tokenwanted" on window; "tokenchange" says that there is another.

const key = 'freshet.token';

export const token = () => sessionStorage.getItem(key);

export function setToken(text) {
  if (text) {
    sessionStorage.setItem(key, text);
  } else {
    sessionStorage.removeItem(key);
  }
  dispatchEvent(new Event('tokenchange'));
}

export const authorised = (headers = {}) => (token() ? { ...headers, Authorization: `Bearer ${token()}` } : headers);

export function wantToken() {
  dispatchEvent(new Event('tokenwanted'));
}
