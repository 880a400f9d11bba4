# x_event_set_and_cancel: an event set in the same turn as the cancel: the cancel wins
import asyncio
from say import say


async def waiter(ev, n):
    try:
        await ev.wait()
        say(n, "woken")
    except asyncio.CancelledError:
        say(n, "cancelled")
        raise

async def main():
    ev = asyncio.Event()
    a = asyncio.create_task(waiter(ev, "a"))
    b = asyncio.create_task(waiter(ev, "b"))
    await asyncio.sleep(0)
    ev.set()
    a.cancel()
    await asyncio.wait([a, b])
    say(a.cancelled(), b.cancelled())
    ev.clear()
    a = asyncio.create_task(waiter(ev, "a"))
    await asyncio.sleep(0)
    a.cancel()
    ev.set()
    await asyncio.wait([a])
    say(a.cancelled())

asyncio.run(main())
