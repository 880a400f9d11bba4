# x_agen_consumer_gone: cancelling a consumer between items leaves the generator open
import asyncio
from say import say


async def gen():
    try:
        for i in range(10):
            yield i
    finally:
        say("generator closed")

async def consume(g):
    async for x in g:
        say("item", x)
        await asyncio.sleep(10)

async def main():
    g = gen()
    t = asyncio.create_task(consume(g))
    await asyncio.sleep(0.001)
    t.cancel()
    await asyncio.wait([t])
    say("consumer gone", t.cancelled())
    say(await g.__anext__())
    await g.aclose()

asyncio.run(main())
