// A model that is made up, so that the example runs without an account and without the internet. It answers as many real
// ones do: an event stream of pieces of JSON, and [DONE] at its end.

import { setTimeout as pause } from 'node:timers/promises';

const sentences = [
  'Water from melting snow runs down the valley, and each drop keeps its place in the stream.',
  'Whoever comes to the bank later still sees everything that has not yet reached the sea.',
  'A stone in the way makes it slower there, and nowhere else.',
  'And when the bridge breaks, the river goes on; you only have to find back to the place where you stood.',
];

export async function* speak(question, signal) {
  const text = `You asked: “${question}”. ${Array.from({ length: 3 }, () => sentences.join(' ')).join('\n\n')}`;
  const encoder = new TextEncoder();
  for (const piece of text.match(/\s*\S{1,5}/g)) {
    await pause(Number(process.env.MODEL_PAUSE ?? 30), undefined, { signal });
    yield encoder.encode(`data: ${JSON.stringify({ choices: [{ delta: { content: piece } }] })}\n\n`);
  }
  yield encoder.encode('data: [DONE]\n\n');
}
