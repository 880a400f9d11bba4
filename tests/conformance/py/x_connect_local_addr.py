# x_connect_local_addr: a connection from an address of one's own; one that cannot be had raises
import asyncio
import errno
from say import say


async def main():
    peers = asyncio.Queue()

    async def handle(r, w):
        peers.put_nowait(w.get_extra_info("peername")[0])
        w.close()

    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = srv.sockets[0].getsockname()[1]
    r, w = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.3", 0),
                                         happy_eyeballs_delay=0.25, interleave=1)
    say("server sees", await peers.get(), "client sees", w.get_extra_info("sockname")[0])
    w.close()
    await w.wait_closed()
    try:
        await asyncio.open_connection("127.0.0.1", port, local_addr=("192.0.2.77", 0))
    except OSError as e:
        say("not mine", errno.errorcode[e.errno])
    try:
        await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.3", 0),
                                      happy_eyeballs_delay=0.25, family=2)
        say("by family")
    except OSError as e:
        say("family", e)
    srv.close()
    await srv.wait_closed()


asyncio.run(main())
