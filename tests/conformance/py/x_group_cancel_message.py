# x_group_cancel_message: a group whose task is cancelled passes the message on, children get their own
import asyncio
from say import say


async def child():
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError as e:
        say("child", e.args)
        raise

async def work():
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(child())
            await asyncio.sleep(10)
    except asyncio.CancelledError as e:
        say("work", e.args, asyncio.current_task().cancelling())
        raise

async def work2():
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(child())
    except asyncio.CancelledError as e:
        say("work2", e.args, asyncio.current_task().cancelling())
        raise

async def main():
    for w in (work, work2):
        t = asyncio.create_task(w())
        await asyncio.sleep(0.002)
        t.cancel("stop it")
        try:
            await t
        except asyncio.CancelledError as e:
            say("main", e.args)

asyncio.run(main())
