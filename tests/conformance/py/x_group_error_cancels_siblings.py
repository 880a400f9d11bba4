# x_group_error_cancels_siblings: a failing child cancels its siblings and interrupts the body
import asyncio
from say import say


async def bad():
    await asyncio.sleep(0.01)
    raise ValueError("boom")

async def sibling():
    try:
        await asyncio.sleep(10)
    finally:
        say("sibling unwound")

async def main():
    try:
        async with asyncio.TaskGroup() as g:
            s = g.create_task(sibling())
            g.create_task(bad())
            try:
                await asyncio.sleep(10)
            finally:
                say("body interrupted")
    except BaseExceptionGroup as e:
        say("group errors:", [str(x) for x in e.exceptions])
    say("sibling cancelled", s.cancelled(), "own requests", asyncio.current_task().cancelling())


asyncio.run(main())
