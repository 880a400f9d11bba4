# x_transport_pause_inside: pausing inside data_received, the end comes only after resuming
import asyncio
from say import say


class P(asyncio.Protocol):
    def __init__(self):
        self.done = asyncio.get_running_loop().create_future()
    def connection_made(self, tr):
        self.tr = tr
        say("reading", tr.is_reading())
    def data_received(self, d):
        say("data", d)
        self.tr.pause_reading()
        say("reading", self.tr.is_reading())
        self.tr.pause_reading()
    def eof_received(self):
        say("eof")
    def connection_lost(self, e):
        say("lost", e, self.tr.is_reading())
        self.done.set_result(None)

async def main():
    import socket
    loop = asyncio.get_running_loop()
    a, b = socket.socketpair()
    a.setblocking(False)
    tr, p = await loop.create_connection(P, sock=a)
    b.send(b"one")
    await asyncio.sleep(0.01)
    b.send(b"two")
    await asyncio.sleep(0.01)
    say("resume")
    tr.resume_reading()
    tr.resume_reading()
    await asyncio.sleep(0.01)
    b.close()
    await asyncio.sleep(0.01)
    say("resume")
    tr.resume_reading()
    await p.done
    say(tr.is_reading())

asyncio.run(main())
