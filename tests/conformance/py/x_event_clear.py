# x_event_clear: set followed by clear wakes those who waited, later ones wait again
import asyncio
from say import say


async def main():
    ev = asyncio.Event()
    async def waiter(n):
        await ev.wait()
        say("woke", n, "set", ev.is_set())
    a = asyncio.create_task(waiter("a"))
    b = asyncio.create_task(waiter("b"))
    await asyncio.sleep(0)
    ev.set()
    ev.clear()
    c = asyncio.create_task(waiter("c"))
    await asyncio.gather(a, b)
    try:
        await asyncio.wait_for(asyncio.shield(c), 0.01)
    except asyncio.TimeoutError:
        say("c still waits")
    ev.set()
    ev.set()
    await c


asyncio.run(main())
