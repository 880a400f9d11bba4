# x_transport_lost_turns: close calls connection_lost a turn later, never inside
import asyncio
from say import say


class P(asyncio.Protocol):
    def __init__(self, n):
        self.n = n
    def connection_made(self, tr):
        self.tr = tr
        say(self.n, "made")
    def connection_lost(self, e):
        say(self.n, "lost", e)

async def main():
    import socket
    loop = asyncio.get_running_loop()
    for how in ("close", "abort"):
        a, b = socket.socketpair()
        a.setblocking(False)
        tr, p = await loop.create_connection(lambda: P(how), sock=a)
        say("connected", p.n)
        getattr(tr, how)()
        say("called", tr.is_closing())
        getattr(tr, how)()
        await asyncio.sleep(0)
        say("turn 1")
        await asyncio.sleep(0)
        say("turn 2")
        b.close()

asyncio.run(main())
