# x_stream_serve_in_group: server and clients in one group; the end of the work ends the server
import asyncio
from say import say


async def handle(r, w):
    w.write((await r.readline())[::-1])
    await w.drain()
    w.close()

async def client(port, text):
    r, w = await asyncio.open_connection("127.0.0.1", port)
    w.write(text + b"\n")
    data = await r.read()
    w.close()
    return data.strip()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = srv.sockets[0].getsockname()[1]
    async with asyncio.TaskGroup() as g:
        server = g.create_task(srv.serve_forever())
        ts = [g.create_task(client(port, t)) for t in (b"abc", b"racecar", b"xyz")]
        await asyncio.wait(ts)
        server.cancel()
    say([t.result() for t in ts])
    say("serving", srv.is_serving(), "cancelled", server.cancelled())


asyncio.run(main())
