# x_retry_backoff: a call is repeated with growing pauses until it works or time is up
import asyncio
from say import say


async def retry(fn, tries):
    for n in range(tries):
        try:
            return await fn(n)
        except OSError as e:
            say("try", n, "failed:", e)
            await asyncio.sleep(0.001 * 2 ** n)
    raise RuntimeError("gave up")

async def third_time(n):
    if n < 2:
        raise OSError("down")
    return "up"

async def never(n):
    raise OSError("always down")

async def main():
    say(await retry(third_time, 5))
    try:
        await retry(never, 2)
    except RuntimeError as e:
        say("error:", e)
    try:
        async with asyncio.timeout(0.05):
            await retry(never_quiet, 10 ** 6)
    except TimeoutError:
        say("time is up")

async def never_quiet(n):
    await asyncio.sleep(10)


asyncio.run(main())
