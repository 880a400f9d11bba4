# x_server_handler_error: an error in a connection's handler goes to the exception handler, the server lives
import asyncio
from say import say


async def handle(r, w):
    d = await r.readline()
    if d == b"bad\n":
        w.close()
        raise ValueError("handler failed")
    w.write(b"ok " + d)
    w.close()

async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda l, c: say("handler", type(c["exception"]).__name__, c["exception"]))
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = srv.sockets[0].getsockname()[1]
    for line in (b"bad\n", b"good\n"):
        r, w = await asyncio.open_connection("127.0.0.1", port)
        w.write(line)
        say("got", await r.read())
        w.close()
        await asyncio.sleep(0.005)
    srv.close()

asyncio.run(main())
