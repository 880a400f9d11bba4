# N connections to a server of its own, CLIENTS at a time; the server closes each first
import asyncio
from bench import arg, now, report, run

N, CLIENTS = arg(1, 30000), arg(2, 10)

async def serve(reader, writer):
    writer.close()

async def client(port):
    for _ in range(N // CLIENTS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read(1) == b""
        writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    port, t = server.sockets[0].getsockname()[1], now()
    await asyncio.gather(*(client(port) for _ in range(CLIENTS)))
    report(N, now() - t)
    server.close()

run(main())
