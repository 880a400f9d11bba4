# x_gather_cancel_message: the message of a cancel goes through a gather to its children and back
import asyncio
from say import say


async def child(n):
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError as e:
        say("child", n, e.args[0])
        raise

async def outer():
    try:
        await asyncio.gather(child(1), child(2))
    except asyncio.CancelledError as e:
        say("outer", e.args[0])
        raise

async def main():
    t = asyncio.create_task(outer())
    await asyncio.sleep(0.01)
    t.cancel("enough")
    try:
        await t
    except asyncio.CancelledError as e:
        say("main", e.args[0])


asyncio.run(main())
