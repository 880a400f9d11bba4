# x_stream_two_readers: a second reader is refused while the first waits
import asyncio
from say import say


async def handle(r, w):
    await asyncio.sleep(0.02)
    w.write(b"data\n")
    await w.drain()
    w.close()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
    t = asyncio.create_task(r.readline())
    await asyncio.sleep(0)
    try:
        await r.readline()
    except RuntimeError:
        say("error: somebody reads already")
    say((await t).rstrip())
    w.close()
    srv.close()


asyncio.run(main())
