# x_transport_protocol_switch: set_protocol in a callback, get_protocol, data after the switch goes to the new one
import asyncio
from say import say


class Second(asyncio.Protocol):
    def __init__(self):
        self.done = asyncio.get_running_loop().create_future()
    def connection_made(self, tr):
        say("not printed")
    def data_received(self, d):
        say("second", d)
    def connection_lost(self, e):
        say("second lost", e)
        self.done.set_result(None)

class First(asyncio.Protocol):
    def connection_made(self, tr):
        self.tr = tr
        say("made", tr.get_protocol() is self)
    def data_received(self, d):
        say("first", d)
        self.second = Second()
        self.tr.set_protocol(self.second)
        say(self.tr.get_protocol() is self.second)
    def connection_lost(self, e):
        say("not printed")

async def main():
    import socket
    loop = asyncio.get_running_loop()
    a, b = socket.socketpair()
    a.setblocking(False)
    tr, p = await loop.create_connection(First, sock=a)
    b.send(b"one")
    await asyncio.sleep(0.01)
    b.send(b"two")
    await asyncio.sleep(0.01)
    b.close()
    await p.second.done

asyncio.run(main())
