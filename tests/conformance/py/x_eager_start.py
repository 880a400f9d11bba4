# x_eager_start: an eager task runs at once up to its first wait
import asyncio
from say import say


async def child(n, d):
    say("child", n, "starts")
    if d is not None:
        await asyncio.sleep(d)
        say("child", n, "resumes")
    return n

async def main():
    loop = asyncio.get_running_loop()
    a = asyncio.Task(child("a", None), loop=loop, eager_start=True)
    say("a done", a.done())
    b = asyncio.Task(child("b", 0), loop=loop, eager_start=True)
    say("b done", b.done())
    c = asyncio.Task(child("c", None), loop=loop)
    say("c done", c.done())
    say(await asyncio.gather(a, b, c))


asyncio.run(main())
