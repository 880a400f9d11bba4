# x_stream_readexactly: exact reads, and what is left when the end comes too early
import asyncio
from say import say


async def handle(r, w):
    w.write(b"abcdef")
    await w.drain()
    await asyncio.sleep(0.01)
    w.write(b"ghi")
    w.close()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
    say(await r.readexactly(4))
    say("none:", len(await r.readexactly(0)))
    say(await r.readexactly(3))
    try:
        await r.readexactly(10)
    except asyncio.IncompleteReadError as e:
        say("incomplete:", e.partial, "of", e.expected)
    try:
        await r.readexactly(1)
    except asyncio.IncompleteReadError as e:
        say("incomplete:", len(e.partial), "of", e.expected)
    say("at eof", r.at_eof())
    w.close()
    srv.close()


asyncio.run(main())
