# x_server_start_serving: a server that starts later, and serves until it is cancelled
import asyncio
from say import say


async def handle(r, w):
    w.write(b"hi")
    w.close()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0, start_serving=False)
    say("serving", srv.is_serving())
    t = asyncio.create_task(srv.serve_forever())
    await asyncio.sleep(0.01)
    say("serving", srv.is_serving())
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
    say(await r.read())
    w.close()
    t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        say("cancelled, serving", srv.is_serving(), "sockets", len(srv.sockets))


asyncio.run(main())
