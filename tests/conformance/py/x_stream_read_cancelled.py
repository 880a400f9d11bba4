# x_stream_read_cancelled: a cancelled readuntil, readexactly and read leave the data for the next
import asyncio
from say import say


async def main():
    got = []
    async def handle(r, w):
        for f in (lambda: r.readline(), lambda: r.readexactly(8), lambda: r.read(10)):
            try:
                await asyncio.wait_for(f(), 0.01)
            except TimeoutError:
                say("timeout")
        w.write(b"go\n")
        say(await r.readexactly(3), await r.readline())
        w.close()
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
    await asyncio.sleep(0.035)
    say(await r.readline())
    w.write(b"abc")
    await asyncio.sleep(0.005)
    w.write(b"def\n")
    say(await r.read() == b"")
    w.close()
    srv.close()

asyncio.run(main())
