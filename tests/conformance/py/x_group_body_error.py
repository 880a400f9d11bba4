# x_group_body_error: an error of the body cancels the children and comes in a group
import asyncio
from say import say


async def child():
    try:
        await asyncio.sleep(10)
    finally:
        await asyncio.sleep(0.01)
        say("child unwound")

async def main():
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(child())
            await asyncio.sleep(0)
            raise ValueError("body")
    except BaseExceptionGroup as e:
        say("group errors:", [str(x) for x in e.exceptions])


asyncio.run(main())
