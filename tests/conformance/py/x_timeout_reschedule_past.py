# x_timeout_reschedule_past: a deadline moved into the past fires at the next wait
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(10) as tm:
            tm.reschedule(loop.time() - 1)
            say("not yet", tm.expired())
            await asyncio.sleep(0)
            say("one turn", tm.expired())
            await asyncio.sleep(0)
            say("not printed")
    except TimeoutError:
        say("timeout")
    try:
        async with asyncio.timeout_at(loop.time() - 5):
            say("body")
            await asyncio.sleep(0)
            say("not printed")
    except TimeoutError:
        say("timeout at")

asyncio.run(main())
