# x_callback_turns: a callback scheduled by a callback runs on the next turn
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    def step(n):
        say("step", n)
        if n < 3:
            loop.call_soon(step, n + 1)
    loop.call_soon(step, 0)
    for n in range(4):
        await asyncio.sleep(0)
        say("turn", n)


asyncio.run(main())
