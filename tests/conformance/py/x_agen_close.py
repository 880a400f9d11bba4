# x_agen_close: leaving a loop early leaves the generator open; closing runs its cleanup
import asyncio
from say import say


async def gen():
    try:
        for n in range(10):
            yield n
    finally:
        await asyncio.sleep(0)
        say("cleanup")

async def main():
    g = gen()
    async for n in g:
        say(n)
        if n == 1:
            break
    say("left the loop")
    async for n in g:
        say(n)
        if n == 3:
            break
    await g.aclose()
    say("closed")
    async for n in g:
        say("never", n)
    await g.aclose()
    say("end")


asyncio.run(main())
