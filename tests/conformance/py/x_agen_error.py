# x_agen_error: an error in a generator reaches the loop over it, then the generator has ended
import asyncio
from say import say


async def gen():
    try:
        yield 1
        await asyncio.sleep(0)
        raise ValueError("boom")
    finally:
        say("cleanup")

async def main():
    g = gen()
    try:
        async for n in g:
            say(n)
    except ValueError as e:
        say("error:", e)
    async for n in g:
        say("never", n)
    say("end")


asyncio.run(main())
