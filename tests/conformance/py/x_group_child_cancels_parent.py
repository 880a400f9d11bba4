# x_group_child_cancels_parent: a child cancels the task of its group
import asyncio
from say import say


async def child(p):
    await asyncio.sleep(0)
    say("cancel parent", p.cancel("from child"))
    try:
        await asyncio.sleep(10)
    finally:
        say("child out")

async def work():
    me = asyncio.current_task()
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(child(me))
    except asyncio.CancelledError as e:
        say("work", e.args, me.cancelling(), me.uncancel())
    say("still", me.cancelling())
    return "ok"

async def main():
    say(await asyncio.create_task(work()))

asyncio.run(main())
