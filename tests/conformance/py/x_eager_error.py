# x_eager_error: an eager task that fails at once holds its error for the one who asks
import asyncio
from say import say


async def bad():
    say("bad runs")
    raise ValueError("boom")

async def cancels():
    asyncio.current_task().cancel()
    await asyncio.sleep(0)
    say("not printed")

async def main():
    loop = asyncio.get_running_loop()
    t = asyncio.Task(bad(), loop=loop, eager_start=True)
    say("done", t.done(), "error:", str(t.exception()))
    u = asyncio.Task(cancels(), loop=loop, eager_start=True)
    say("done", u.done())
    await asyncio.wait([u])
    say("cancelled", u.cancelled())


asyncio.run(main())
