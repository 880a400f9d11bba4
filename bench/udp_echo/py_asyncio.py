# N datagrams of SIZE bytes there and back between two endpoints, one at a time: protocols
import asyncio
from bench import arg, now, report, run

N, SIZE = arg(1, 200000), arg(2, 64)
DATA = b"x" * SIZE

class Server(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.send = transport.sendto

    def datagram_received(self, data, addr):
        self.send(data, addr)

class Client(asyncio.DatagramProtocol):
    def __init__(self, done):
        self.done, self.n = done, 0

    def connection_made(self, transport):
        self.send = transport.sendto
        self.send(DATA)

    def datagram_received(self, data, addr):
        assert data == DATA
        self.n += 1
        if self.n < N:
            self.send(DATA)
        else:
            self.done.set_result(None)

async def main():
    loop = asyncio.get_running_loop()
    done, t = loop.create_future(), now()
    server, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    addr = server.get_extra_info("sockname")
    client, _ = await loop.create_datagram_endpoint(lambda: Client(done), remote_addr=addr)
    await done
    report(N, now() - t)
    client.close()
    server.close()

run(main())
