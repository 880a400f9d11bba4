# x_future_waited_in_all_ways: one future in gather, wait, shield, wait_for and await at once
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    async def a():
        say("await", await f)
    async def b():
        say("gather", await asyncio.gather(f, f))
    async def c():
        d, p = await asyncio.wait([f])
        say("wait", len(d), len(p))
    async def d():
        say("shield", await asyncio.shield(f))
    async def e():
        say("wait_for", await asyncio.wait_for(asyncio.shield(f), 10))
    ts = [asyncio.create_task(x()) for x in (a, b, c, d)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    loop.call_soon(f.set_result, "R")
    for i in range(5):
        say("turn", i)
        await asyncio.sleep(0)
    await asyncio.gather(*ts)

asyncio.run(main())
