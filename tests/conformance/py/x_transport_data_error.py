# x_transport_data_error: an error in data_received ends the connection, one in connection_made is reported
import asyncio
from say import say


class Bad(asyncio.Protocol):
    def __init__(self):
        self.done = asyncio.get_running_loop().create_future()
    def connection_made(self, tr):
        say("made")
    def data_received(self, d):
        raise ValueError("in data")
    def connection_lost(self, e):
        say("lost", type(e).__name__)
        self.done.set_result(None)

async def main():
    import socket
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda l, c: say("handler", c["exception"]))
    a, b = socket.socketpair()
    a.setblocking(False)
    tr, p = await loop.create_connection(Bad, sock=a)
    b.send(b"x")
    await p.done
    say(tr.is_closing())
    say(b.recv(10) == b"")
    b.close()

asyncio.run(main())
