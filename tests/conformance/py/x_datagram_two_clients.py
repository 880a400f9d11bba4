# x_datagram_two_clients: replies go to who asked; an unconnected endpoint sends to several
import asyncio
from say import say


class P(asyncio.DatagramProtocol):
    def __init__(self, n):
        self.n, self.q = n, asyncio.Queue()
    def connection_made(self, tr):
        self.tr = tr
    def datagram_received(self, d, a):
        self.q.put_nowait((d, a))

async def main():
    loop = asyncio.get_running_loop()
    mk = lambda n: loop.create_datagram_endpoint(lambda: P(n), local_addr=("127.0.0.1", 0))
    (st, s), (at, a), (bt, b) = await mk("s"), await mk("a"), await mk("b")
    addr = st.get_extra_info("sockname")
    at.sendto(b"from a", addr)
    d, who = await s.q.get()
    say(d, who == at.get_extra_info("sockname"))
    bt.sendto(b"from b", addr)
    d, who2 = await s.q.get()
    st.sendto(b"to a", who)
    st.sendto(b"to b", who2)
    say((await a.q.get())[0], (await b.q.get())[0])
    say(st.get_extra_info("peername"))
    for t in (st, at, bt):
        t.close()

asyncio.run(main())
