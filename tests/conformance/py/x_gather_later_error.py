# x_gather_later_error: a gather left by its first error leaves later errors to the tasks
import asyncio
from say import say


async def bad(m, d):
    await asyncio.sleep(d)
    raise ValueError(m)

async def main():
    ts = [asyncio.create_task(bad(m, d)) for m, d in (("first", 0.01), ("second", 0.08))]
    g = asyncio.gather(*ts)
    try:
        await g
    except ValueError as e:
        say("error:", e)
    say("gather done", g.done(), "exception", str(g.exception()), "second done", ts[1].done())
    await asyncio.wait(ts)
    say("second failed", str(ts[1].exception()))


asyncio.run(main())
