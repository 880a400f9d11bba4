# x_stream_extra_info: both ends know the addresses
import asyncio
from say import say


async def main():
    peer = asyncio.get_running_loop().create_future()
    async def handle(r, w):
        peer.set_result(w.get_extra_info("peername")[1])
        w.close()
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = srv.sockets[0].getsockname()[1]
    r, w = await asyncio.open_connection("127.0.0.1", port)
    say("peer", w.get_extra_info("peername")[0], w.get_extra_info("peername")[1] == port)
    say("same port", w.get_extra_info("sockname")[1] == await peer)
    say("unknown", w.get_extra_info("no such thing"), w.get_extra_info("no such thing", 7))
    w.close()
    srv.close()


asyncio.run(main())
