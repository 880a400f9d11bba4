# x_agen_timeout: a deadline passes while the generator waits: it unwinds and has ended
import asyncio
from say import say


async def gen():
    try:
        yield 1
        await asyncio.sleep(10)
        yield 2
    finally:
        say("gen cleanup")

async def main():
    g = gen()
    try:
        async with asyncio.timeout(0.005):
            async for x in g:
                say(x)
    except TimeoutError:
        say("timeout")
    try:
        await g.__anext__()
    except StopAsyncIteration:
        say("ended")

asyncio.run(main())
