# x_stream_backpressure: a writer waits for a slow reader, nothing is lost
import asyncio
from say import say


SIZE = 20_000_000

async def main():
    start = asyncio.Event()
    done = asyncio.Event()
    async def handle(r, w):
        await start.wait()
        n = 0
        while chunk := await r.read(65536):
            n += len(chunk)
        say("server got", n == SIZE)
        w.close()
        done.set()
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
    async def writer():
        w.write(b"z" * SIZE)
        await w.drain()
        say("drained")
        w.close()
    t = asyncio.create_task(writer())
    await asyncio.sleep(0.02)
    say("written", t.done())
    start.set()
    await t
    await done.wait()
    srv.close()


asyncio.run(main())
