# WebSocket echo on PORT, by websockets
import asyncio, websockets
from bench import arg, run

async def echo(ws, path=None):
    async for message in ws:
        await ws.send(message)

async def main():
    async with websockets.serve(echo, "127.0.0.1", arg(1, 7000), compression=None, backlog=4096):
        await asyncio.Future()

run(main())
