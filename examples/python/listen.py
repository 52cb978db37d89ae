"""A listener in Python: for event in listen(url). Standard library only. It reconnects for ever and goes on after the last
event, as a browser's EventSource does; unlike that it can send headers, and so a token.

usage: python3 listen.py TOPIC..."""

import http.client
import os
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import NamedTuple


class Event(NamedTuple):
    id: str
    type: str
    data: str


class Stream:
    """Where a listener is: the last event it has seen, and how long the server wants it to wait before it returns."""

    def __init__(self, last_event_id=""):
        self.last_event_id = last_event_id
        self.retry = 3.0

    def parse(self, lines):
        """Turns lines into events: "name: value", and an empty line at the end of each."""
        kind, data, new_id = "", [], self.last_event_id
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                self.last_event_id = new_id  # only what is complete counts
                if data:
                    yield Event(new_id, kind or "message", "\n".join(data))
                kind, data = "", []
            elif name == "data":
                data.append(value)
            elif name == "event":
                kind = value
            elif name == "id":
                new_id = value
            elif name == "retry" and value.isdecimal():
                self.retry = int(value) / 1000
            # A line that begins with a colon is a comment: a heartbeat.


def listen(url, headers=None, last_event_id=""):
    stream = Stream(last_event_id)
    while True:
        request = urllib.request.Request(url, headers={"Accept": "text/event-stream", **(headers or {})})
        if stream.last_event_id:
            request.add_header("Last-Event-ID", stream.last_event_id)
        try:
            # freshet says something every 15 seconds, if only a comment. Silence of 45 means that the connection is dead,
            # although nobody has told us: without a timeout we would wait for ever.
            with urllib.request.urlopen(request, timeout=45) as answer:
                if answer.status == 204:
                    return  # the server says: do not come back
                # Before the first event there is already a place to go on from.
                stream.last_event_id = stream.last_event_id or answer.headers.get("Last-Event-ID", "")
                yield from stream.parse(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise
        except (OSError, http.client.HTTPException):
            pass  # broken, refused or silent: come back
        time.sleep(stream.retry * (1 + random.random()))  # not all at once, when a server comes back


if __name__ == "__main__":
    base = os.environ.get("FRESHET_URL", "http://127.0.0.1:8042")
    token = os.environ.get("FRESHET_TOKEN")
    query = urllib.parse.urlencode([("topic", topic) for topic in sys.argv[1:]])
    try:
        for event in listen(f"{base}/events?{query}", {"Authorization": f"Bearer {token}"} if token else None):
            print(event.id, event.type, event.data, flush=True)
    except KeyboardInterrupt:
        pass
