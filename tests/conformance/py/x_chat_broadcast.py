# x_chat_broadcast: what one client says reaches all others
import asyncio
from say import say


async def main():
    clients = {}
    async def handle(r, w):
        name = (await r.readline()).decode().rstrip()
        clients[name] = w
        joined.release()
        async for line in r:
            for other, ow in clients.items():
                if other != name:
                    ow.write(f"{name}: ".encode() + line)
                    await ow.drain()
        del clients[name]
        w.close()
    joined = asyncio.Semaphore(0)
    srv = await asyncio.start_server(handle, "127.0.0.1", 0)
    conns = {}
    for name in ("ann", "bob", "cid"):
        r, w = await asyncio.open_connection("127.0.0.1", srv.sockets[0].getsockname()[1])
        w.write(name.encode() + b"\n")
        await joined.acquire()
        conns[name] = r, w
    conns["ann"][1].write(b"hello\n")
    for name in ("bob", "cid"):
        say(name, "reads", (await conns[name][0].readline()).rstrip())
    conns["cid"][1].write(b"bye\n")
    for name in ("ann", "bob"):
        say(name, "reads", (await conns[name][0].readline()).rstrip())
    for r, w in conns.values():
        w.close()
    srv.close()
    await asyncio.sleep(0.01)
    say("left", len(clients))


asyncio.run(main())
