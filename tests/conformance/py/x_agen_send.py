# x_agen_send: values sent into a generator
import asyncio
from say import say


async def averager():
    total = count = 0
    value = yield "ready"
    while True:
        total += value
        count += 1
        await asyncio.sleep(0)
        value = yield total // count

async def main():
    g = averager()
    say(await g.asend(None))
    for v in (10, 20, 60):
        say(await g.asend(v))
    await g.aclose()


asyncio.run(main())
