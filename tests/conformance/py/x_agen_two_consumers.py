# x_agen_two_consumers: a second task that asks a running generator is refused
import asyncio
from say import say


async def gen():
    for i in range(3):
        await asyncio.sleep(0.002)
        yield i

async def take(g, n):
    try:
        say(n, await g.__anext__())
    except RuntimeError:
        say(n, "refused")

async def main():
    g = gen()
    await asyncio.gather(take(g, "a"), take(g, "b"))
    say(await g.__anext__())

asyncio.run(main())
