# x_stream_half_close: the end of one direction leaves the other open
import asyncio
from say import say


async def handle(r, w):
    data = await r.read()
    say("server got", data)
    for part in (b"reply ", b"after ", b"the end"):
        w.write(part)
        await w.drain()
        await asyncio.sleep(0.002)
    w.close()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
    say("can", w.can_write_eof())
    w.write(b"question")
    w.write_eof()
    say(await r.read())
    w.close()
    await w.wait_closed()
    srv.close()


asyncio.run(main())
