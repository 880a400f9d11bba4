# x_gather_cancel_too_late: a gather whose children have all ended cannot be cancelled any more
import asyncio
from say import say


async def quick(n):
    return n

async def main():
    ts = [asyncio.create_task(quick(n)) for n in (1, 2)]
    g = asyncio.gather(*ts)
    asyncio.get_running_loop().call_soon(lambda: say("children done", all(t.done() for t in ts), "cancel", g.cancel()))
    say(await g)
    say("cancelled", g.cancelled())


asyncio.run(main())
