# x_run_main_cancelled: a main that cancels itself makes run raise
import asyncio
from say import say


async def cancelled():
    asyncio.current_task().cancel()
    await asyncio.sleep(10)
    say("not printed")

async def main():
    say("second run")

try:
    asyncio.run(cancelled())
except asyncio.CancelledError:
    say("run raised cancelled")


asyncio.run(main())
