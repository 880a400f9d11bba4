# x_group_create_after_abort: a cancelled child cannot start more work once the group is shutting down
import asyncio
from say import say


async def failing():
    await asyncio.sleep(0)
    raise ValueError("x")

async def other():
    say("never")

async def child(tg):
    try:
        await asyncio.sleep(10)
    finally:
        c = other()
        try:
            tg.create_task(c)
        except RuntimeError:
            say("refused")
            c.close()

async def main():
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(child(tg))
            tg.create_task(failing())
            try:
                await asyncio.sleep(10)
            finally:
                c = other()
                try:
                    tg.create_task(c)
                except RuntimeError:
                    say("body refused")
                    c.close()
    except* ValueError as eg:
        say("errors", len(eg.exceptions))
    c = other()
    try:
        tg.create_task(c)
    except RuntimeError:
        say("finished refused")
        c.close()

asyncio.run(main())
