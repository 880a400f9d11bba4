# x_group_body_cancel_error: a body that is cancelled from outside leaves the group as cancelled
import asyncio
from say import say


async def child():
    try:
        await asyncio.sleep(10)
    finally:
        say("child unwound")

async def outer():
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(child())
            try:
                await asyncio.sleep(10)
            finally:
                say("body unwound")
    except asyncio.CancelledError:
        say("cancelled, requests", asyncio.current_task().cancelling())
        raise

async def main():
    t = asyncio.create_task(outer())
    await asyncio.sleep(0.01)
    t.cancel()
    await asyncio.wait([t])
    say("cancelled", t.cancelled())


asyncio.run(main())
