# x_server_keeps_clients: closing the server leaves the connections that it has
import asyncio
from say import say


async def main():
    async def handle(r, w):
        while line := await r.readline():
            w.write(b"echo " + line)
            await w.drain()
        say("server: client left")
        w.close()
        done.set()
    done = asyncio.Event()
    async with await asyncio.start_server(handle, "127.0.0.1", 0) as srv:
        r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
        w.write(b"before\n")
        say((await r.readline()).rstrip())
        srv.close()
        say("serving", srv.is_serving())
        w.write(b"after\n")
        say((await r.readline()).rstrip())
        w.close()
        await done.wait()


asyncio.run(main())
