# x_leftovers_swallow: a leftover that swallows its cancel still runs to its end
import asyncio
from say import say


async def stubborn():
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        say("ignored")
    await asyncio.sleep(0.01)
    say("ends in peace")

async def main():
    asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    say("main ends")


asyncio.run(main())
