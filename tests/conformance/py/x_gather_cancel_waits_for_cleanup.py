# x_gather_cancel_waits_for_cleanup: a cancelled gather that returns errors waits until all children have ended
import asyncio
from say import say


async def child(n):
    try:
        await asyncio.sleep(10)
    finally:
        await asyncio.sleep(0.01 * n)
        say("child", n, "unwound")

async def outer():
    try:
        await asyncio.gather(child(2), child(1), return_exceptions=True)
    finally:
        say("gather left")

async def main():
    t = asyncio.create_task(outer())
    await asyncio.sleep(0.01)
    t.cancel()
    await asyncio.wait([t])
    say("cancelled", t.cancelled())


asyncio.run(main())
