# WebSocket echo on PORT, by aiohttp
from aiohttp import web, WSMsgType
from bench import arg
import os

if os.environ.get("LOOP") == "uvloop":
    import uvloop
    uvloop.install()

async def echo(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for msg in ws:
        if msg.type == WSMsgType.TEXT:
            await ws.send_str(msg.data)
        elif msg.type == WSMsgType.BINARY:
            await ws.send_bytes(msg.data)
    return ws

app = web.Application()
app.router.add_get("/ws", echo)
web.run_app(app, host="127.0.0.1", port=arg(1, 7000), access_log=None, print=None, backlog=4096)
