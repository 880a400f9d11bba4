# x_cancel_turns: turns from cancelling a task in gather in wait to its end
import asyncio
from say import say


async def child(n):
    try:
        await asyncio.sleep(10)
    finally:
        say("out", n)

async def parent():
    try:
        await asyncio.wait([asyncio.create_task(child(1))])
    finally:
        say("parent out")

async def group():
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(child(2))
            tg.create_task(child(3))
    finally:
        say("group out")

async def main():
    for f in (parent, group):
        t = asyncio.create_task(f())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        t.cancel()
        for i in range(5):
            say("turn", i, t.done())
            await asyncio.sleep(0)
        say(t.cancelled())

asyncio.run(main())
