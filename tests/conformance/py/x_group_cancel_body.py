# x_group_cancel_body: cancelling a task inside its group's body cancels the children first
import asyncio
from say import say


async def child(n):
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        await asyncio.sleep(0.002 * n)
        say("child", n, "cleaned")
        raise

async def worker():
    try:
        async with asyncio.TaskGroup() as g:
            for n in (2, 1):
                g.create_task(child(n))
            await asyncio.sleep(10)
    except asyncio.CancelledError:
        say("worker cancelled after its children")
        raise

async def main():
    t = asyncio.create_task(worker())
    await asyncio.sleep(0.01)
    t.cancel()
    await asyncio.wait([t])
    say("cancelled", t.cancelled())


asyncio.run(main())
