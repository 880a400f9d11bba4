# x_event_turns: turns from set to the waiters; a task that clears at once; set twice
import asyncio
from say import say


async def w(ev, n):
    while True:
        await ev.wait()
        say("woken", n, ev.is_set())
        await asyncio.sleep(0)
        if n == 1:
            ev.clear()
            return

async def main():
    ev = asyncio.Event()
    a = asyncio.create_task(w(ev, 1))
    b = asyncio.create_task(w(ev, 2))
    await asyncio.sleep(0)
    ev.set()
    ev.set()
    for i in range(4):
        say("turn", i)
        await asyncio.sleep(0)
    say(a.done(), b.done(), ev.is_set())
    b.cancel()
    r = await asyncio.wait_for(asyncio.gather(a, return_exceptions=True), 1)
    ev.set()
    say(await ev.wait(), await ev.wait())

asyncio.run(main())
