// Publishes what the form sends: one request to freshet, and this route is done, however many people listen.
//
// Authentication: ask here who it is (your session's cookie) before you let anybody speak to all. The token that may publish
// stays on the server, in FRESHET_TOKEN; the page never sees it.

import { publish } from '../../../freshet';

const mostBytes = 10_000;

async function readText(request: Request): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > mostBytes) {
      return undefined;
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()).text;
  } catch {
    return undefined;
  }
}

export async function POST(request: Request) {
  const text = await readText(request);
  if (typeof text !== 'string' || text === '' || text.length > 500) {
    return Response.json({ problem: 'text is missing, or too long' }, { status: 400 });
  }
  try {
    return Response.json({ id: await publish('nextjs', { text, at: Date.now() }) });
  } catch (error) {
    console.error(error);
    return Response.json({ problem: 'freshet does not answer' }, { status: 502 });
  }
}
