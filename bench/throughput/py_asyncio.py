# One stream on PORT: sends or receives as many bytes as it is told, 64 KiB at a time
import asyncio
from bench import arg, run

BLOCK = 65536

async def send(writer, n):
    block = b"x" * BLOCK
    for _ in range(n // BLOCK):
        writer.write(block)
        await writer.drain()

async def receive(reader, writer, n):
    while n > 0:
        n -= len(await reader.read(BLOCK))
    writer.write(b"done\n")

async def serve(reader, writer):
    line = (await reader.readline()).decode()
    if line:
        role, n = line.split()
        await (send(writer, int(n)) if role == "send" else receive(reader, writer, int(n)))
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", arg(1, 7000))
    await server.serve_forever()

run(main())
