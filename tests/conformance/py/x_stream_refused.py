# x_stream_refused: a connection to a closed port raises, as does an address in use
import asyncio
import errno
from say import say


async def handle(r, w):
    w.close()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = srv.sockets[0].getsockname()[1]
    try:
        await asyncio.start_server(handle, "127.0.0.1", port)
    except OSError as e:
        say("in use", errno.errorcode[e.errno])
    srv.close()
    await srv.wait_closed()
    try:
        await asyncio.open_connection("127.0.0.1", port)
    except OSError as e:
        say("refused", errno.errorcode[e.errno])


asyncio.run(main())
