// The stream by hand, to be compared: a first message on connecting, then one every two seconds, a status every five, and
// the end after five minutes. It is as tidy as such a route can be; README.md says what it lacks all the same.

export const dynamic = 'force-dynamic'; // made for each request, never at build time
export const runtime = 'nodejs';

const lifetime = Number(process.env.DIRECT_SECONDS ?? 300) * 1000;
const mostWaiting = 50; // events that a listener has not read yet

let streams = 0; // of this process. Another instance of this site has its own, and knows nothing of these

// Node is asked how many timers run, so that a forgotten one shows.
function load() {
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  return `process ${process.pid} holds streams: ${streams}, timers: ${timers}`;
}

export function GET(request: Request) {
  const encoder = new TextEncoder();
  const began = Date.now();
  let messages = 0;
  let running: NodeJS.Timeout[] = [];

  // Each of the ways out comes here: the listener has gone, does not read, or has been here for five minutes.
  function stop() {
    if (running.length > 0) {
      running.forEach(clearTimeout);
      running = [];
      streams--;
    }
  }

  function start(controller: ReadableStreamDefaultController<Uint8Array>) {
    function end() {
      if (running.length > 0) {
        stop();
        controller.close();
      }
    }
    // A name, data in one line (JSON has no line feeds in it), and an empty line that ends the event. There is no `id:`, since
    // nothing is kept that one could go on from.
    function send(type: string, text: string) {
      controller.enqueue(encoder.encode(`event: ${type}\ndata: ${JSON.stringify({ text, at: Date.now() })}\n\n`));
      if ((controller.desiredSize ?? 0) < -mostWaiting) {
        end(); // or what a listener does not read would fill the memory
      }
    }
    function status() {
      const seconds = Math.round((Date.now() - began) / 1000);
      send('status', `${seconds} s, ${messages} messages; ${load()}`);
    }

    streams++;
    // No comment lines to keep the connection alive: what comes every two seconds does it.
    running = [
      setInterval(() => send('message', `Message ${++messages}`), 2000),
      setInterval(status, 5000),
      setTimeout(end, lifetime), // the browser takes this for a break, and comes back
    ];
    controller.enqueue(encoder.encode('retry: 3000\n\n')); // milliseconds until it does
    send('message', `Connected; ${load()}`);
    request.signal.addEventListener('abort', end);
    if (request.signal.aborted) {
      end(); // it had gone before we listened
    }
  }

  return new Response(new ReadableStream({ start, cancel: stop }), {
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform', // no-transform: or Next and proxies compress it, and hold it back
      'X-Accel-Buffering': 'no', // or nginx keeps the events until it has 8 kilobytes of them
    },
  });
}
