// Serves the page, and measures the machine that it runs on. It has no part in the events: those go from the probes to
// freshet, and from there to the pages.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import { measure } from './probe.mjs';

const freshet = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
const page = readFileSync(new URL('page.html', import.meta.url), 'utf8').replace('{{freshet}}', freshet);

const server = http.createServer((request, response) => {
  if (request.method === 'GET' && request.url === '/') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
  } else {
    response.writeHead(404).end();
  }
});
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
measure(process.env.NAME ?? 'here');
