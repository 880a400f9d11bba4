# x_cancel_error_in_cleanup: an error raised while a cancel unwinds makes the task failed, not cancelled
import asyncio
from say import say


async def child():
    try:
        await asyncio.sleep(10)
    finally:
        raise ValueError("cleanup failed")

async def main():
    t = asyncio.create_task(child())
    await asyncio.sleep(0)
    t.cancel()
    await asyncio.wait([t])
    say("cancelled", t.cancelled(), "error:", str(t.exception()))


asyncio.run(main())
