# x_stream_readuntil_edges: separators at packet borders, longer separators, what is left at the end
import asyncio
from say import say


async def handle(r, w):
    for part in (b"one\r", b"\ntwo\r\r", b"\n\r\nlast"):
        w.write(part)
        await w.drain()
        await asyncio.sleep(0.005)
    w.close()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
    for _ in range(3):
        d = await r.readuntil(b"\r\n")
        say(repr(d.decode()), len(d))
    say(r.at_eof())
    try:
        await r.readuntil(b"\r\n")
    except asyncio.IncompleteReadError as e:
        say("incomplete", e.partial, e.expected)
    say(r.at_eof(), await r.read(), await r.readline() == b"")
    try:
        await r.readexactly(1)
    except asyncio.IncompleteReadError as e:
        say("incomplete", len(e.partial), e.expected)
    say(await r.readexactly(0) == b"")
    w.close()
    await w.wait_closed()
    srv.close()

asyncio.run(main())
