# x_eager_cancel_inside: an eager task that cancels itself, its creator, and is cancelled before its second step
import asyncio
from say import say


async def self_cancel():
    asyncio.current_task().cancel("self")
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError as e:
        say("self got", e.args)
        raise

async def cancel_creator(t):
    t.cancel("creator")
    say("asked")

async def waits():
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError as e:
        say("waits got", e.args)
        raise

async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    t = asyncio.create_task(self_cancel())
    say(t.done())
    await asyncio.wait([t])
    say(t.cancelled())
    async def creator():
        asyncio.create_task(cancel_creator(asyncio.current_task()))
        say("goes on")
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as e:
            say("creator got", e.args)
    await asyncio.create_task(creator())
    t = asyncio.create_task(waits())
    t.cancel("early")
    await asyncio.wait([t])
    say(t.cancelled())

asyncio.run(main())
