# x_ensure_future: ensure_future and wrap_future give back what is a future already
import asyncio
from say import say


async def work():
    await asyncio.sleep(0)
    return 3

class Later:
    def __init__(self, n):
        self.n = n
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        say("later", self.n)
        return self.n

async def main():
    t = asyncio.ensure_future(work())
    say(asyncio.ensure_future(t) is t, asyncio.wrap_future(t) is t, asyncio.isfuture(t))
    f = asyncio.get_running_loop().create_future()
    say(asyncio.ensure_future(f) is f)
    say(await t)
    l = asyncio.ensure_future(Later(1))
    say(asyncio.isfuture(l), await l)
    say(await Later(2))
    say(await asyncio.gather(Later(3), work(), Later(4)))
    say(await asyncio.wait_for(Later(5), 1))
    say(await asyncio.shield(Later(6)))
    try:
        asyncio.ensure_future(5)
    except TypeError:
        say("not a job")

asyncio.run(main())
