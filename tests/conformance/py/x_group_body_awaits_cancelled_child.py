# x_group_body_awaits_cancelled_child: a cancelled child that the body awaits ends the group as cancelled
import asyncio
from say import say


async def child(n):
    try:
        await asyncio.sleep(10)
    finally:
        say("unwound", n)

async def main():
    try:
        async with asyncio.TaskGroup() as g:
            a = g.create_task(child("a"))
            g.create_task(child("b"))
            await asyncio.sleep(0)
            a.cancel()
            await a
    except asyncio.CancelledError:
        say("cancelled; own requests", asyncio.current_task().cancelling())


asyncio.run(main())
