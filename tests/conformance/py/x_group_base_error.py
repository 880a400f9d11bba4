# x_group_base_error: an exit raised by a child leaves the group unwrapped after the siblings have ended
import asyncio
from say import say


async def sib():
    try:
        await asyncio.sleep(10)
    finally:
        say("sibling out")

async def leave():
    await asyncio.sleep(0)
    raise KeyError("no wrap")

async def main():
    class Stop(BaseException):
        pass
    async def stop():
        await asyncio.sleep(0)
        raise Stop("stop")
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(sib())
            tg.create_task(stop())
    except BaseExceptionGroup as eg:
        say(type(eg).__name__, isinstance(eg, Exception), [type(e).__name__ for e in eg.exceptions])

asyncio.run(main())
