# x_as_completed_done_first: finished tasks come first, in the order given
import asyncio
from say import say


async def ok(n, d):
    await asyncio.sleep(d)
    return n

async def main():
    a = asyncio.create_task(ok("a", 0))
    b = asyncio.create_task(ok("b", 0))
    await asyncio.wait([a, b])
    c = asyncio.create_task(ok("c", 0.01))
    names = []
    for f in asyncio.as_completed([c, a, b]):
        names.append(await f)
    say(sorted(names[:2]), names[2])


asyncio.run(main())
