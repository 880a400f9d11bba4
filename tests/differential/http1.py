# SPDX-License-Identifier: MIT
"""Messages of HTTP/1, mutated, with the verdict of h11 on each, for tests/test_http_differential.lua.

http1.py request|response COUNT SEED: for each message a line "BYTES VERDICT BYTES", then the message
and what h11 took of it. The verdict is ok (a head, with as much of the body as there is), more (the
head is not complete), or bad.
"""

import random
import sys

import h11

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n",
    b"GET /a?b=c HTTP/1.1\r\nHost: example.test:80\r\nAccept: */*\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.0\r\nUser-Agent: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    b"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;a=b;c=\"d\"\r\nabc\r\n00\r\nX-Trailer: y\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    b"GET http://a/b HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=d\r\n\r\n",
]

RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nServer: x\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\nuntil the end",
    b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nx",
    b"HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na;x\r\n0123456789\r\n0\r\nA: b\r\n\r\n",
]

PIECES = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b"\x0b", b"\x0c", b"\x7f", b"\x80",
    b"\xff", b":", b";", b",", b"=", b"\"", b"\\", b"#", b"/", b"?", b"[", b"]", b"%", b"@", b"0",
    b"1", b"9", b"a", b"f", b"g", b"x", b"X", b"-", b"+", b"_", b".", b"HTTP/1.1", b"chunked",
    b"Host: b\r\n", b"Host:\r\n", b"Content-Length: 5\r\n", b"Content-Length: 5, 5\r\n",
    b"Content-Length: 0\r\n", b"Content-Length: +5\r\n", b"Content-Length : 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding:\r\n", b"Connection: close\r\n",
    b"Connection: keep-alive\r\n", b"Expect: 100-continue\r\n", b"Expect: x\r\n", b"A: b\r\n c\r\n",
    b": a\r\n", b"A\r\n", b"X" * 40 + b": y\r\n", b"0\r\n\r\n", b"1\r\nx\r\n", b";a=b", b"\x16\x03\x01",
]


def mutated(rng, base):
    text = bytearray(base)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3, 5])):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(8)
        if kind == 0:
            del text[at:at + rng.choice([1, 1, 2, 5])]
        elif kind == 1:
            text[at:at] = rng.choice(PIECES)
        elif kind == 2:
            text[at:at + 1] = rng.choice(PIECES)
        elif kind == 3 and at < len(text):
            text[at] = rng.randrange(256)
        elif kind == 4 and at < len(text):
            text[at] ^= 0x20
        else:
            lines = bytes(text).split(b"\r\n")
            line = rng.randrange(len(lines))
            if kind == 5:
                lines.insert(line, lines[rng.randrange(len(lines))])
            elif kind == 6:
                lines[line:line] = [rng.choice(PIECES).rstrip(b"\r\n")]
            else:
                del lines[line]
            text = bytearray(b"\r\n".join(lines))
    if rng.randrange(10) == 0:
        del text[rng.randrange(len(text) + 1):]
    return bytes(text)


def told(event, request):
    if request:
        first = b"%s %s %s" % (event.method, event.target, event.http_version)
    else:
        first = b"%d %s %s" % (event.status_code, bytes(event.reason), event.http_version)
    fields = b"".join(b"%s: %s\n" % (name, value) for name, value in event.headers)
    return first + b"\n" + fields + b"\n"


def connection(request):
    if request:
        return h11.Connection(h11.SERVER)
    conn = h11.Connection(h11.CLIENT)
    conn.send(h11.Request(method="GET", target="/", headers=[
        ("Host", "a"), ("Connection", "upgrade"), ("Upgrade", "x")]))
    conn.send(h11.EndOfMessage())
    return conn


def verdict(text, request):
    conn = connection(request)
    out = None
    try:
        conn.receive_data(text)
        while True:
            event = conn.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return ("more", b"") if out is None else ("ok", out)
            if isinstance(event, (h11.Request, h11.Response, h11.InformationalResponse)):
                out = told(event, request)
                if isinstance(event, h11.InformationalResponse):
                    return "ok", out
            elif isinstance(event, h11.Data):
                out += bytes(event.data)
            else:
                return ("ok", out + b"\nend") if out is not None else ("more", b"")
    except h11.RemoteProtocolError:
        return "bad", b""


def main():
    request, count, seed = sys.argv[1] == "request", int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    out = sys.stdout.buffer
    for _ in range(count):
        text = mutated(rng, rng.choice(REQUESTS if request else RESPONSES))
        word, took = verdict(text, request)
        out.write(b"%d %s %d\n%s%s" % (len(text), word.encode(), len(took), text, took))


main()
