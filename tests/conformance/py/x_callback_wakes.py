# x_callback_wakes: a callback starts a task, sets an event and puts into a queue
import asyncio
from say import say


async def child(n):
    say("child", n)

async def main():
    loop = asyncio.get_running_loop()
    ev, q = asyncio.Event(), asyncio.Queue()
    def cb():
        say("callback")
        loop.create_task(child(1))
        ev.set()
        q.put_nowait("item")
        loop.call_soon(say, "soon")
    loop.call_soon(cb)
    async def waiter():
        await ev.wait()
        say("event")
    async def getter():
        say(await q.get())
    a, b = asyncio.create_task(waiter()), asyncio.create_task(getter())
    await asyncio.sleep(0)
    say("main 1")
    await asyncio.sleep(0)
    say("main 2")
    await a; await b

asyncio.run(main())
