# x_readers_and_writers: add_reader and add_writer on one socket, removal counts, a callback that removes itself
import asyncio
from say import say


import socket
async def main():
    loop = asyncio.get_running_loop()
    a, b = socket.socketpair()
    a.setblocking(False); b.setblocking(False)
    def writable():
        say("writable", loop.remove_writer(a))
    def readable(tag):
        d = a.recv(10)
        say("readable", tag, d)
        if d == b"":
            say(loop.remove_reader(a))
    loop.add_writer(a, writable)
    loop.add_reader(a, readable, "first")
    await asyncio.sleep(0.005)
    b.send(b"1")
    await asyncio.sleep(0.005)
    loop.add_reader(a, readable, "second")
    b.send(b"2")
    await asyncio.sleep(0.005)
    b.close()
    await asyncio.sleep(0.005)
    say(loop.remove_reader(a), loop.remove_writer(a))
    a.close()

asyncio.run(main())
