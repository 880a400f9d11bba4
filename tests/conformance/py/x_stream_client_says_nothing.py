# x_stream_client_says_nothing: a client that connects and goes, and one that sends half a line
import asyncio
from say import say


async def main():
    log = asyncio.Queue()
    async def handle(r, w):
        line = await r.readline()
        log.put_nowait((len(line), line.endswith(b"\n")))
        w.close()
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    for data in (b"", b"half", b"whole\n"):
        r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
        w.write(data)
        w.close()
        await w.wait_closed()
        say(*await log.get())
    srv.close()


asyncio.run(main())
