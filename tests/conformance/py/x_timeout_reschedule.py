# x_timeout_reschedule: a deadline moved forward and back; what the scope tells
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(0.01) as cm:
        cm.reschedule(loop.time() + 10)
        await asyncio.sleep(0.03)
        say("still inside, expired", cm.expired())
    say("expired", cm.expired())
    try:
        async with asyncio.timeout(10) as cm:
            cm.reschedule(loop.time() + 0.01)
            await asyncio.sleep(5)
    except TimeoutError:
        say("timeout, expired", cm.expired())
    async with asyncio.timeout(None) as cm:
        say("no deadline", cm.when())
    try:
        async with asyncio.timeout_at(loop.time() - 1):
            await asyncio.sleep(5)
            say("never")
    except TimeoutError:
        say("already over")


asyncio.run(main())
