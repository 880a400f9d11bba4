# x_stream_requests_in_turn: many small messages on one connection keep their order
import asyncio
from say import say


async def handle(r, w):
    total = 0
    while line := await r.readline():
        total += int(line)
        w.writelines([b"sum ", str(total).encode(), b"\n"])
        await w.drain()
    w.close()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
    w.write(b"1\n2\n")
    say((await r.readline()).rstrip(), (await r.readline()).rstrip())
    for n in range(3, 101):
        w.write(b"%d\n" % n)
    w.write_eof()
    last = b""
    async for line in r:
        last = line
    say("last", last.rstrip())
    w.close()
    srv.close()


asyncio.run(main())
