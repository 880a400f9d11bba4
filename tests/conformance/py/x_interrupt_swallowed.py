# x_interrupt_swallowed: main that survives the first interrupt returns its value
import asyncio
import os
import signal
from say import say


async def main():
    asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGINT)
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        say("main swallows")
    await asyncio.sleep(0.01)
    return "value"

say(asyncio.run(main()))
