# x_sock_cancel: sock_recv after the end, sock_connect refused, cancelling sock_accept and sock_recv
import asyncio
from say import say


import socket
async def main():
    loop = asyncio.get_running_loop()
    a, b = socket.socketpair()
    a.setblocking(False); b.setblocking(False)
    t = asyncio.create_task(loop.sock_recv(a, 10))
    await asyncio.sleep(0.002)
    t.cancel()
    await asyncio.wait([t])
    say("cancelled", t.cancelled())
    await loop.sock_sendall(b, b"kept")
    say(await loop.sock_recv(a, 2), await loop.sock_recv(a, 100))
    b.close()
    say(await loop.sock_recv(a, 10) == b"")
    a.close()
    srv = socket.socket()
    srv.setblocking(False)
    srv.bind(("127.0.0.1", 0))
    addr = srv.getsockname()
    c = socket.socket()
    c.setblocking(False)
    try:
        await loop.sock_connect(c, addr)
    except ConnectionRefusedError:
        say("refused")
    c.close()
    srv.listen()
    t = asyncio.create_task(loop.sock_accept(srv))
    await asyncio.sleep(0.002)
    t.cancel()
    await asyncio.wait([t])
    c = socket.socket()
    c.setblocking(False)
    await loop.sock_connect(c, addr)
    s, peer = await loop.sock_accept(srv)
    say("accepted", peer == c.getsockname())
    for x in (s, c, srv):
        x.close()

asyncio.run(main())
