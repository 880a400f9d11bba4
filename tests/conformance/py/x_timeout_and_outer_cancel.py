# x_timeout_and_outer_cancel: a cancel from outside wins over a deadline that has passed
import asyncio
from say import say


async def work():
    try:
        async with asyncio.timeout(0.01):
            try:
                await asyncio.sleep(10)
            finally:
                say("cancelled inside")
                try:
                    await asyncio.sleep(10)
                finally:
                    say("cancelled again")
    except TimeoutError:
        say("timeout")
    except asyncio.CancelledError:
        say("cancelled outside")
        raise

async def main():
    t = asyncio.create_task(work())
    await asyncio.sleep(0.03)
    t.cancel()
    await asyncio.wait([t])
    say("cancelled", t.cancelled())


asyncio.run(main())
