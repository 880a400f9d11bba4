# x_run_raises_after_cleanup: the error of main leaves run after the leftovers have ended
import asyncio
from say import say


async def background():
    try:
        await asyncio.sleep(10)
    finally:
        await asyncio.sleep(0.01)
        say("background unwound")

async def failing():
    asyncio.create_task(background())
    await asyncio.sleep(0)
    raise ValueError("boom")

async def main():
    return "value", 2

def outside():
    try:
        asyncio.run(failing())
    except ValueError as e:
        say("run raised", e)

outside()
say(*asyncio.run(main()))


asyncio.run(main())
