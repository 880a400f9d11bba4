# x_stream_many_writers: several tasks write to one connection, drains, lines arrive whole and in order of writing
import asyncio
from say import say


async def main():
    lines = []
    over = asyncio.get_running_loop().create_future()
    async def handle(r, w):
        async for l in r:
            lines.append(l.decode().strip())
        over.set_result(None)
        w.close()
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
    async def writer(n):
        for i in range(3):
            w.write(f"{n}{i}\n".encode())
            await w.drain()
            await asyncio.sleep(0)
    await asyncio.gather(writer("a"), writer("b"), writer("c"))
    w.close()
    await over
    say(lines)
    srv.close()

asyncio.run(main())
