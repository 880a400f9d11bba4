# x_group_body_error_in_cleanup: a body whose cleanup raises adds its error after those of the children
import asyncio
from say import say


async def fail(n):
    await asyncio.sleep(0)
    raise ValueError("child %d" % n)

async def main():
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(fail(1))
            tg.create_task(fail(2))
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                say("body interrupted", asyncio.current_task().cancelling())
                raise KeyError("body")
    except ExceptionGroup as eg:
        say([str(e.args[0]) for e in eg.exceptions])
    say(asyncio.current_task().cancelling())
    await asyncio.sleep(0)
    say("goes on")

asyncio.run(main())
