// Publishes what the form sends. A real site asks here who it is (a session), before it lets anybody speak to all.

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const freshet = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
const token = process.env.FRESHET_TOKEN; // one that may publish to `nextjs`, if freshet asks for it

// A freshet that is away or busy is asked again for a while, by the same Idempotency-Key: if only the answer was lost,
// the event is not published twice.
async function publish(topic: string, value: unknown): Promise<string> {
  const headers = {
    'Content-Type': 'application/json',
    'Idempotency-Key': `"${randomUUID()}"`,
    ...(token && { Authorization: `Bearer ${token}` }),
  };
  for (let attempt = 1; ; attempt++) {
    let problem: string;
    let final = attempt === 6;
    try {
      const answer = await fetch(`${freshet}/events/${topic}`, {
        method: 'POST', headers, body: JSON.stringify(value), cache: 'no-store', signal: AbortSignal.timeout(5000),
      });
      if (answer.ok) {
        return (await answer.json()).id;
      }
      problem = `freshet says ${answer.status}: ${await answer.text()}`;
      final ||= answer.status < 500 && answer.status !== 429;
    } catch (error) {
      problem = String(error);
    }
    if (final) {
      throw new Error(problem);
    }
    await pause(100 * 2 ** attempt);
  }
}

export async function POST(request: Request) {
  const { text } = await request.json().catch(() => ({}));
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
