# x_transport_paused_reset: a paused transport hears of a reset when it reads again or writes
import asyncio
import socket
import struct
from say import say


events = asyncio.Queue()

def heard(*what):
    say(*what)
    events.put_nowait(what)

class P(asyncio.Protocol):
    def connection_made(self, tr):
        self.tr = tr
        tr.pause_reading()
        events.put_nowait(tr)
    def data_received(self, d):
        self.tr.pause_reading()
        heard("data", d)
    def eof_received(self):
        heard("eof")
    def connection_lost(self, e):
        heard("lost", e is not None)

# A client that says something and is gone with a reset; the server's transport.
async def reset(loop, srv, text=None):
    s = socket.socket()
    s.setblocking(False)
    await loop.sock_connect(s, srv.sockets[0].getsockname())
    tr = await events.get()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if text:
        s.send(text)
    s.close()
    await asyncio.sleep(0.01)
    say("paused", tr.is_closing())
    return tr

async def main():
    loop = asyncio.get_running_loop()
    srv = await loop.create_server(P, "127.0.0.1", 0)
    tr = await reset(loop, srv)
    tr.resume_reading()
    await events.get()
    say("resumed", tr.is_closing())

    tr = await reset(loop, srv, b"!")
    tr.resume_reading()
    await events.get()
    await asyncio.sleep(0.01)
    say("paused again", tr.is_closing())
    tr.resume_reading()
    await events.get()
    say("resumed", tr.is_closing())

    tr = await reset(loop, srv)
    tr.write(b"into the void")
    await events.get()
    say("written", tr.is_closing())

    tr = await reset(loop, srv)
    tr.close()
    await events.get()
    srv.close()

asyncio.run(main())
