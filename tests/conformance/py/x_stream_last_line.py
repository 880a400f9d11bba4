# x_stream_last_line: empty lines, a last line without a newline, and the end
import asyncio
from say import say


async def handle(r, w):
    w.write(b"one\n\nthree")
    w.close()

async def main():
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
    for _ in range(4):
        line = await r.readline()
        say("length", len(line), "newline", line.endswith(b"\n"))
    w.close()
    srv.close()


asyncio.run(main())
