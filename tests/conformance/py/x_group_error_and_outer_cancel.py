# x_group_error_and_outer_cancel: with an error and an outside cancel the group raises its errors
import asyncio
from say import say


async def child():
    try:
        await asyncio.sleep(10)
    finally:
        raise ValueError("child")

async def outer():
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(child())
    except BaseExceptionGroup as e:
        say("group errors:", [str(x) for x in e.exceptions])
        say("requests", asyncio.current_task().cancelling())

async def main():
    t = asyncio.create_task(outer())
    await asyncio.sleep(0.01)
    t.cancel()
    await asyncio.wait([t])
    say("ended", t.done())


asyncio.run(main())
