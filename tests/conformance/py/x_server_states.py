# x_server_states: sockets, is_serving, close, sockets after close, serve_forever cancelled
import asyncio
from say import say


async def handle(r, w):
    w.close()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0, start_serving=False)
    say(srv.is_serving(), len(srv.sockets))
    t = asyncio.create_task(srv.serve_forever())
    await asyncio.sleep(0.002)
    say(srv.is_serving())
    try:
        await srv.serve_forever()
    except RuntimeError:
        say("already")
    t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        say("cancelled", srv.is_serving(), len(srv.sockets))
    async with await asyncio.start_server(handle, "127.0.0.1", 0) as s2:
        say(s2.is_serving())
    say(s2.is_serving())

asyncio.run(main())
