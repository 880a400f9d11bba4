# x_timer_deadlines: deadlines decide, not the order of creation; a negative delay is no delay
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    now = loop.time()
    for n in (3, 1, 2, 0):
        loop.call_at(now + 0.01 + n / 1000, say, "timer", n)
    loop.call_later(-5, say, "negative")
    loop.call_soon(say, "soon")
    say("scheduled")
    await asyncio.sleep(0.03)
    loop.call_at(now, say, "in the past")
    await asyncio.sleep(0.01)
    say("end")


asyncio.run(main())
