# x_server_answers_after_close: closing a server lets a running handler finish, its client gets the answer
import asyncio
from say import say


async def main():
    started = asyncio.Event()
    async def handle(r, w):
        started.set()
        await asyncio.sleep(0.02)
        w.write(b"answer")
        say("handler done")
        w.close()
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = srv.sockets[0].getsockname()[1]
    r, w = await asyncio.open_connection("127.0.0.1", port)
    await started.wait()
    srv.close()
    say("closed", srv.is_serving())
    try:
        await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        say("refused")
    say(await r.read())
    w.close()

asyncio.run(main())
