# x_datagram_kinds: binary and long datagrams arrive one by one and whole; nothing after close
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    got = asyncio.Queue()

    class Server(asyncio.DatagramProtocol):
        def datagram_received(self, d, addr):
            got.put_nowait((d, addr))

    server, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    addr = server.get_extra_info("sockname")
    client, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=addr)
    me = client.get_extra_info("sockname")
    say("peer is the server", client.get_extra_info("peername") == addr)
    say("server has a peer", server.get_extra_info("peername") is not None)
    for d in (b"one", b"a\0b\n", b"x" * 60000, b"last"):
        client.sendto(d)
    for _ in range(4):
        d, frm = await got.get()
        say("got", len(d), "from the client", frm == me)
    client.close()
    say("closing", client.is_closing(), server.is_closing())
    await asyncio.sleep(0)
    server.close()


asyncio.run(main())
