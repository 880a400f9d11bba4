# x_stream_line_limit: readline throws a line over the limit away and goes on with the next
import asyncio
from say import say


async def handle(r, w):
    w.write(b"short\n" + b"x" * 50 + b"\nrest\n")
    await w.drain()
    w.close()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1], limit=16)
    await asyncio.sleep(0.02)
    say((await r.readline()).rstrip())
    try:
        await r.readline()
    except ValueError:
        say("error: over limit")
    say((await r.readline()).rstrip())
    w.close()
    srv.close()


asyncio.run(main())
