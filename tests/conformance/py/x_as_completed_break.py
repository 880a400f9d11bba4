# x_as_completed_break: leaving the loop early leaves the others running
import asyncio
from say import say


async def ok(n, d):
    await asyncio.sleep(d)
    say("finished", n)
    return n

async def main():
    a = asyncio.create_task(ok("a", 0.03))
    b = asyncio.create_task(ok("b", 0.01))
    for f in asyncio.as_completed([a, b]):
        say("first", await f)
        break
    say("a done", a.done(), "cancelled", a.cancelled())
    say(await a)


asyncio.run(main())
