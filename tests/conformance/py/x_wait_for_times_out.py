# x_wait_for_times_out: wait_for waits for the cleanup of the work, then raises
import asyncio
from say import say


async def work():
    try:
        await asyncio.sleep(10)
    finally:
        await asyncio.sleep(0.01)
        say("work unwound")

async def main():
    try:
        await asyncio.wait_for(work(), 0.01)
    except asyncio.TimeoutError:
        say("timeout")
    t = asyncio.create_task(work())
    try:
        await asyncio.wait_for(t, 0.01)
    except asyncio.TimeoutError:
        say("timeout, task cancelled", t.cancelled())


asyncio.run(main())
