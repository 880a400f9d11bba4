# x_condition_misuse: wait and notify need the lock
import asyncio
from say import say


async def main():
    cond = asyncio.Condition()
    for what in ("notify", "notify_all"):
        try:
            getattr(cond, what)()
        except RuntimeError:
            say("error:", what)
    try:
        await cond.wait()
    except RuntimeError:
        say("error: wait")
    say("locked", cond.locked())
    async with cond:
        say("locked", cond.locked())
        cond.notify()
    say("locked", cond.locked())


asyncio.run(main())
