// Publishing to freshet, from the server only: no variable here begins with NEXT_PUBLIC_, so none gets into the browser.

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

export const freshet = process.env.FRESHET_URL ?? 'http://127.0.0.1:8042';
const token = process.env.FRESHET_TOKEN; // one that may publish, if freshet asks for it

const busy = (status: number) => status >= 500 || status === 429;

// Returns the event's id. A freshet that is away or busy is asked again for a while, by the same Idempotency-Key: if only
// the answer was lost, the event is not published twice.
export async function publish(topic: string, value: unknown): Promise<string> {
  const headers = {
    'Content-Type': 'application/json',
    'Idempotency-Key': `"${randomUUID()}"`,
    ...(token && { Authorization: `Bearer ${token}` }),
  };
  const body = JSON.stringify(value);
  for (let attempt = 1; ; attempt++) {
    const last = attempt === 6;
    try {
      const signal = AbortSignal.timeout(5000);
      const answer = await fetch(`${freshet}/events/${topic}`, { method: 'POST', headers, body, signal, cache: 'no-store' });
      if (answer.ok) {
        return (await answer.json()).id;
      }
      if (last || !busy(answer.status)) {
        return Promise.reject(new Error(`freshet says ${answer.status}: ${await answer.text()}`));
      }
    } catch (error) {
      if (last) {
        throw error;
      }
    }
    await pause(100 * 2 ** attempt);
  }
}
