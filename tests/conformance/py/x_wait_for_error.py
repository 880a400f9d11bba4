# x_wait_for_error: a timeout waits for the cleanup of the work; its error is what is seen
import asyncio
from say import say


async def slow():
    try:
        await asyncio.sleep(10)
    finally:
        await asyncio.sleep(0.01)
        say("cleaned")

async def failing():
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        raise ValueError("in cleanup")

async def main():
    try:
        await asyncio.wait_for(slow(), 0.01)
    except asyncio.TimeoutError:
        say("timeout after the cleanup")
    try:
        await asyncio.wait_for(failing(), 0.01)
    except ValueError as e:
        say("error:", e)
    say(await asyncio.wait_for(asyncio.sleep(0, "none"), None))


asyncio.run(main())
