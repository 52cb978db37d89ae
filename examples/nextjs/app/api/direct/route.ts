// The stream by hand, from a route, to be compared: a first message on connecting, then one every two seconds, a status
// every five, and the end after five minutes. It is as tidy as such a route can be; README.md says what it lacks.

export const dynamic = 'force-dynamic'; // never an answer that was made at build time
export const runtime = 'nodejs';

const lifetime = Number(process.env.DIRECT_LIFETIME ?? 300) * 1000;

export function GET(request: Request) {
  const encoder = new TextEncoder();
  const began = Date.now();
  let count = 0;
  let timers: ReturnType<typeof setTimeout>[] = [];

  const stop = () => {
    timers.forEach(clearTimeout);
    timers = [];
  };

  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (type: string, text: string) => {
        // A listener that does not read must not fill our memory; it simply misses this.
        if ((controller.desiredSize ?? 0) > -100) {
          controller.enqueue(encoder.encode(`event: ${type}\ndata: ${JSON.stringify({ text, at: Date.now() })}\n\n`));
        }
      };
      const end = () => {
        if (timers.length > 0) {
          stop();
          controller.close();
        }
      };
      controller.enqueue(encoder.encode('retry: 3000\n\n'));
      send('message', 'Connected.');
      timers = [
        setInterval(() => send('message', `Message ${++count}`), 2000),
        setInterval(() => send('status', `${Math.round((Date.now() - began) / 1000)} s, ${count} messages`), 5000),
        setTimeout(end, lifetime),
      ];
      request.signal.addEventListener('abort', end); // the listener has gone
    },
    cancel: stop,
  });

  return new Response(stream, {
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform', // no-transform: or a proxy compresses it, and holds it back
      'X-Accel-Buffering': 'no', // or nginx keeps the events until it has 8 kilobytes of them
    },
  });
}
