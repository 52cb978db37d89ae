#!/usr/bin/env python3
"""Writes the event-stream vectors: NAME.stream, the bytes, and NAME.expect, what must come of them.

The expectation is text: a line for each retry field and each event, in order, and at the end the
last event ID that a client would send. It is written by hand below, from the rules that the comments
cite, and never taken from a program's output. Run it after a change and commit what it wrote.

A stream without a CR in it means the same with every LF made a CR or a CRLF; the tests try that too.
"""

import pathlib

REPLACEMENT = "\ufffd"
BOM = b"\xef\xbb\xbf"
vectors = {}


def quote(text):
    special = {"\n": "\\n", '"': '\\"', "\\": "\\\\"}
    return '"' + "".join(
        special.get(c, c if ord(c) >= 32 else f"\\x{ord(c):02x}") for c in text) + '"'


def event(data, type="", id="", own=False, retry=None):
    line = f"event {quote(type)} {quote(data)} id {quote(id)}"
    return line + (" own" if own else "") + ("" if retry is None else f" retry {retry}")


def retry(ms):
    return f"retry {ms}"


def vector(name, stream, *expected, last=""):
    assert name not in vectors, name
    vectors[name] = (stream, "\n".join([*expected, f"last {quote(last)}"]) + "\n")


# The examples of the standard, section 9.2.6.
vector("spec-stocks", b"data: YHOO\ndata: +2\ndata: 10\n\n", event("YHOO\n+2\n10"))
vector("spec-four-blocks",
       b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
       event("first event", id="1", own=True), event("second event", own=True))
vector("spec-two-empty", b"data\n\ndata\ndata\n\ndata:\n", event(""), event("\n"))
vector("spec-one-space", b"data:test\n\ndata: test\n\n", event("test"), event("test"))
vector("spec-add-remove",
       b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
       event("73857293", "add"), event("2153", "remove"), event("113411", "add"))

# P1: one byte order mark, and only at the start.
vector("bom", BOM + b"data: x\n\n", event("x"))
vector("bom-twice", BOM + BOM + b"data: x\n\ndata: y\n\n", event("y"))
vector("bom-later", b"data: x\n\n" + BOM + b"data: y\n\ndata: z\n\n", event("x"), event("z"))
vector("bom-in-data", b"data: " + BOM + b"x\n\n", event("\ufeffx"))
vector("bom-after-blank", b"\n" + BOM + b"data: x\n\n")
vector("bom-alone", BOM)
vector("bom-then-blank", BOM + b"\ndata: x\n\n", event("x"))
vector("bom-one-byte", b"\xefdata: x\ndata: y\n\n", event("y"))
vector("bom-two-bytes", b"\xef\xbbdata: x\ndata: y\n\n", event("y"))
vector("bom-cut-by-line", b"\xef\ndata: x\n\xef\xbb\ndata: y\n\n", event("x\ny"))
vector("bom-broken", b"\xef\xbb\xbedata: x\ndata: y\n\n", event("y"))
vector("bom-utf16", b"\xff\xfedata: x\ndata: y\n\n", event("y"))

# P2: malformed UTF-8 is replaced, and swallows no line end.
vector("utf8-invalid", b"data:\xffhello\xc2\n\n", event(REPLACEMENT + "hello" + REPLACEMENT))
vector("utf8-cut-before-line-end", b"data: a\xf0\x9f\x98\ndata: b\n\n",
       event("a" + REPLACEMENT + "\nb"))
vector("utf8-whole", "data: é€😀\u2028\u2029\u0085\n\n".encode(), event("é€😀\u2028\u2029\u0085"))
vector("utf8-overlong", b"data: \xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf\n\n", event(REPLACEMENT * 9))
vector("utf8-surrogates", b"data: \xed\xa0\x80\xed\xbf\xbf\n\n", event(REPLACEMENT * 6))
vector("utf8-beyond", b"data: \xf4\x91\x92\x93\xff\x41\x80\xbf\x42\n\n",
       event(REPLACEMENT * 5 + "A" + REPLACEMENT * 2 + "B"))
vector("utf8-maximal-subparts", b"data: \xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41\n\n",
       event(REPLACEMENT * 4 + "A"))
vector("utf8-in-type-and-id", b"event: a\xff\nid: b\xe2\x82\ndata: c\n\n",
       event("c", "a" + REPLACEMENT, "b" + REPLACEMENT, own=True), last="b" + REPLACEMENT)
vector("utf8-last-in-a-line", b"data: a\xc2\ndata: \xa9\n\n",
       event("a" + REPLACEMENT + "\n" + REPLACEMENT))
vector("utf8-second-line-only", b"data: plain\ndata: \x80\ndata: plain\n\n",
       event("plain\n" + REPLACEMENT + "\nplain"))

# P3, P4: what ends a line and what does not.
vector("eol-cr", b"data: a\r\rdata: b\r\r", event("a"), event("b"))
vector("eol-crlf", b"data: a\r\n\r\ndata: b\r\n\r\n", event("a"), event("b"))
vector("eol-mixed", b"data: a\rdata: b\r\ndata: c\n\r\ndata: d\n\r", event("a\nb\nc"), event("d"))
vector("eol-lf-cr", b"data: a\n\rdata: b\n\r", event("a"), event("b"))
vector("eol-cr-cr-lf", b"data: a\r\r\ndata: b\r\r\n", event("a"), event("b"))
vector("eol-crlf-lf", b"data: a\r\n\ndata: b\r\n\n", event("a"), event("b"))
vector("eol-crlf-cr", b"data: a\r\n\rdata: b\r\n\r", event("a"), event("b"))
vector("eol-cr-not-blank", b"data: a\r\ndata: b\r\n\r\n", event("a\nb"))
vector("eol-cr-ends-stream", b"data: a\n\r", event("a"))
vector("eol-lookalikes", b"data: a\x0bb\x0cc\x1cd\x1de\x1ef\xc2\x85g\xe2\x80\xa8h\n\n",
       event("a\x0bb\x0cc\x1cd\x1de\x1ef\u0085g\u2028h"))
vector("eol-many-blank", b"\n\n\ndata: a\n\n\n\n\ndata: b\n\n\n", event("a"), event("b"))

# P5: what the end of the input discards.
vector("end-partial-line", b"data: a\n\ndata: b", event("a"))
vector("end-no-blank", b"data: a\n\nid: 7\ndata: b\n", event("a"))
vector("end-pending-id", b"id: 1\ndata: a\n\nid: 2\ndata: b\nid: 3", event("a", id="1", own=True),
       last="1")
vector("end-retry-stands", b"retry: 50\ndata: a", retry(50))
vector("empty", b"")

# L1 to L5: names and values.
vector("comments", b": one\n:two\n:\ndata: a\n: three\ndata: b\n:data: c\n\n", event("a\nb"))
vector("comment-only", b":\n\n: x\n\n")
vector("comment-long", b":" + b"x" * 5000 + b"\ndata: a\n\n", event("a"))
vector("names-inexact",
       b"Data: a\nDATA: a\ndata : a\n data: a\nda-ta: a\ndata\0: a\ndat: a\ndataa: a\n\xc2\xa0data: a\n"
       b"idd: a\ni: a\nevents: a\neven: a\nretry : 5\nretri: 5\nEVENT: a\nID: a\ndata: b\n\n",
       event("b"))
vector("names-long", b"data" * 2000 + b": a\ndata: b\n\n", event("b"))
vector("space-two", b"data:  a\n\n", event(" a"))
vector("space-tab", b"data:\ta\n\ndata: \tb\n\n", event("\ta"), event("\tb"))
vector("space-nbsp", b"data:\xc2\xa0a\n\n", event("\u00a0a"))
vector("space-trailing", b"data: a \n\n", event("a "))
vector("space-only", b"data: \n\ndata:  \n\n", event(""), event(" "))
vector("colons", b"data: a:b\ndata::c\ndata: :d\n\n", event("a:b\n:c\n:d"))
vector("no-colon", b"event: x\nevent\ndata\n\n", event(""))
vector("nul-in-data", b"data: a\0b\n\n", event("a\0b"))
vector("nul-in-type", b"event: a\0b\ndata: c\n\n", event("c", "a\0b"))

# F1, F2: type and data.
vector("type-last-wins", b"event: a\nevent: b\ndata: c\n\n", event("c", "b"))
vector("type-reset", b"event: a\nevent:\ndata: c\n\n", event("c"))
vector("type-not-inherited", b"event: a\ndata: b\n\ndata: c\n\n", event("b", "a"), event("c"))
vector("type-without-data", b"event: a\n\ndata: b\n\n", event("b"))
vector("type-after-data", b"data: b\nevent: a\n\n", event("b", "a"))
vector("type-space", b"event:  a \ndata: b\n\n", event("b", " a "))
vector("data-empty-lines", b"data: a\ndata\ndata:\ndata: \ndata: b\n\n", event("a\n\n\n\nb"))
vector("data-empty-first", b"data\ndata: a\n\n", event("\na"))
vector("data-empty-last", b"data: a\ndata\n\n", event("a\n"))
vector("data-interleaved", b"data: a\nfoo: b\n: c\nid: 1\ndata: d\nevent: e\ndata: f\n\n",
       event("a\nd\nf", "e", "1", own=True), last="1")
vector("data-long", b"data: " + b"0123456789" * 700 + b"\n\n", event("0123456789" * 700))

# F3, D1: ids.
vector("id-inherited", b"id: 1\ndata: a\n\ndata: b\n\n", event("a", id="1", own=True),
       event("b", id="1"), last="1")
vector("id-last-wins", b"id: 1\nid: 2\ndata: a\n\n", event("a", id="2", own=True), last="2")
vector("id-nul-ignored", b"id: 1\nid: 2\0\ndata: a\n\n", event("a", id="1", own=True), last="1")
vector("id-nul-alone", b"id: 1\ndata: a\n\nid: \0\ndata: b\n\n", event("a", id="1", own=True),
       event("b", id="1"), last="1")
vector("id-reset", b"id: 1\ndata: a\n\nid:\ndata: b\n\ndata: c\n\n", event("a", id="1", own=True),
       event("b", own=True), event("c"))
vector("id-reset-no-colon", b"id: 1\ndata: a\n\nid\ndata: b\n\n", event("a", id="1", own=True),
       event("b", own=True))
vector("id-without-data", b"id: 1\n\ndata: a\n\n", event("a", id="1"), last="1")
vector("id-without-data-last", b"data: a\n\nid: 9\n\n", event("a"), last="9")
vector("id-reset-without-data", b"id: 1\n\nid\n\ndata: a\n\n", event("a"))
vector("id-spaces", b"id:  a b \ndata: c\n\n", event("c", id=" a b ", own=True), last=" a b ")
vector("id-shorter-later", b"id: 123456\ndata: a\n\nid: 7\ndata: b\n\nid: 89\ndata: c\n\n",
       event("a", id="123456", own=True), event("b", id="7", own=True),
       event("c", id="89", own=True), last="89")

# F4: retry.
vector("retry", b"retry: 3000\ndata: a\n\ndata: b\n\n", retry(3000), event("a", retry=3000),
       event("b"))
vector("retry-at-once", b"retry: 1\nretry: 2\ndata: a\n\n", retry(1), retry(2), event("a", retry=2))
vector("retry-alone", b"retry: 10\n\ndata: a\n\n", retry(10), event("a"))
vector("retry-zeros", b"retry: 0\nretry: 00012\n\n", retry(0), retry(12))
vector("retry-invalid",
       b"retry: 1 \nretry:  1\nretry: +1\nretry: -1\nretry: 0x1\nretry: 1.0\nretry: 1000x\n"
       b"retry: 1\x08\nretry: 1\0\nretry: \xd9\xa1\nretry:\t1\nretry: 1e3\n\n")
vector("retry-empty", b"retry\nretry:\nretry: \n\n")
vector("retry-wide", b"retry: 12345678910\n\n", retry(12345678910))
vector("retry-clamped",
       b"retry: 31536000001\nretry: 9223372036854775807\nretry: 9223372036854775808\n"
       b"retry: 18446744073709551617\nretry: " + b"9" * 100 + b"\n\n",
       *[retry(31536000000)] * 5)
vector("retry-invalid-keeps", b"retry: 5\nretry: x\ndata: a\n\n", retry(5), event("a", retry=5))

# Whole streams as they come over the wire.
vector("freshet-head", b":\nretry: 2500\n:\nid: 1700000000000-0\ndata: a\n\n:\nid: 1700000000000-1\n"
       b"event: b\ndata: c\n\n", retry(2500),
       event("a", id="1700000000000-0", own=True, retry=2500),
       event("c", "b", "1700000000000-1", own=True), last="1700000000000-1")
vector("model-stream",
       b'event: delta\ndata: {"text":"Hel"}\n\nevent: delta\ndata: {"text":"lo"}\n\ndata: [DONE]\n\n',
       event('{"text":"Hel"}', "delta"), event('{"text":"lo"}', "delta"), event("[DONE]"))

if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent
    for old in [*here.glob("*.stream"), *here.glob("*.expect")]:
        old.unlink()
    for name, (stream, expected) in vectors.items():
        (here / f"{name}.stream").write_bytes(stream)
        (here / f"{name}.expect").write_bytes(expected.encode())
    print(f"{len(vectors)} vectors")
