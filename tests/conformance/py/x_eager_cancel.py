# x_eager_cancel: an eager task that waits is cancelled like any other
import asyncio
from say import say


async def child():
    say("child starts")
    try:
        await asyncio.sleep(10)
    finally:
        say("child unwound")

async def main():
    loop = asyncio.get_running_loop()
    t = asyncio.Task(child(), loop=loop, eager_start=True)
    t.cancel()
    say("asked")
    await asyncio.wait([t])
    say("cancelled", t.cancelled())


asyncio.run(main())
