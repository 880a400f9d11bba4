# x_timer_and_soon_order: soon, later zero, at past and sleep zero in one turn
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    now = loop.time()
    loop.call_later(0, say, "later 0")
    loop.call_soon(say, "soon 1")
    loop.call_at(now - 5, say, "at past")
    loop.call_soon(say, "soon 2")
    loop.call_later(-1, say, "later -1")
    say("main waits")
    await asyncio.sleep(0)
    say("main turn 1")
    await asyncio.sleep(0)
    say("main turn 2")

asyncio.run(main())
