# x_uncancel_at_zero: uncancel of a task that was not cancelled stays at zero
import asyncio
from say import say


async def main():
    t = asyncio.current_task()
    say(t.uncancel(), t.cancelling())
    t.cancel()
    t.cancel()
    say(t.cancelling())
    say(t.uncancel())
    say(t.uncancel())
    say(t.uncancel())
    t.cancel()
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        say("cancelled once")
    await asyncio.sleep(0)
    say("and goes on", t.cancelling())
    say(t.uncancel())

asyncio.run(main())
