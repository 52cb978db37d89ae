"""A page with a form. What is sent with it is published, and everybody who has the page open sees it: this program
hands the event to freshet with one request and is done, however many people listen. Standard library only."""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FRESHET = os.environ.get("FRESHET_URL", "http://127.0.0.1:8042")
TOKEN = os.environ.get("FRESHET_TOKEN")  # one that may publish to `messages`, if freshet asks for it


def publish(topic, kind, value):
    """Publishes an event and returns its id. A freshet that is away or busy is asked again for a while, by the same
    Idempotency-Key: if only the answer was lost, the event is not published twice."""
    request = urllib.request.Request(
        f"{FRESHET}/events/{urllib.parse.quote(topic)}?event={urllib.parse.quote(kind)}",
        data=json.dumps(value).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": f'"{uuid.uuid4()}"'},
    )
    if TOKEN:
        request.add_header("Authorization", f"Bearer {TOKEN}")
    for attempt in range(1, 7):
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)["id"]
        except urllib.error.HTTPError as error:
            if (error.code < 500 and error.code != 429) or attempt == 6:
                raise  # asking again would not help
        except OSError:
            if attempt == 6:
                raise
        time.sleep(0.1 * 2**attempt)


class Site(BaseHTTPRequestHandler):
    page = (Path(__file__).parent / "page.html").read_text("utf-8").replace("{{freshet}}", FRESHET).replace("{{direct}}", "")

    def do_GET(self):
        if self.path != "/":
            return self.send_error(404)
        self.answer(200, self.page.encode(), "text/html; charset=utf-8")

    def do_POST(self):
        if self.path != "/say":
            return self.send_error(404)
        size = int(self.headers.get("Content-Length", 0))
        if size > 10_000:
            return self.send_error(413)
        form = urllib.parse.parse_qs(self.rfile.read(size).decode())
        publish("messages", "said", {"text": form.get("text", [""])[0], "at": int(time.time() * 1000)})
        self.answer(204)

    def answer(self, status, body=b"", kind=None):
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # one line for each request would hide what matters


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Site)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
