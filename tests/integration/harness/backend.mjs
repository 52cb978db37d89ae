// A backend, as users of --auth-url have one: notes what it is asked, and answers as a test says.

import http from 'node:http';

// `answer(question)` gives { status, headers, body }, a promise of it, or undefined: then nothing is answered.
// Questions are { method, headers, body }, the body as JSON. `answer` can be replaced at any time.
export async function backend(t, answer) {
  const it = { questions: [], answer, busiest: 0 };
  let busy = 0;
  const server = http.createServer(async (req, res) => {
    let text = '';
    it.busiest = Math.max(it.busiest, ++busy);
    res.on('close', () => busy--);
    for await (const chunk of req.setEncoding('utf8')) {
      text += chunk;
    }
    const question = { method: req.method, path: req.url, headers: req.headers, body: JSON.parse(text), text, abandoned: false };
    res.on('close', () => {
      question.abandoned = !res.writableFinished;
    });
    it.questions.push(question);
    const reply = await it.answer(question);
    if (reply && !res.destroyed) {
      res.writeHead(reply.status ?? 200, reply.headers);
      res.end(reply.body);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref(); // a test that fails before it can close it must end, too
  it.url = `http://127.0.0.1:${server.address().port}/auth`;
  it.close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  t.after(it.close);
  return it;
}
