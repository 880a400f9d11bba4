# x_queue_join_turns: join of an empty queue does not wait; when it returns; items put while it waits
import asyncio
from say import say


async def worker(q):
    while True:
        x = await q.get()
        say("work", x)
        if x < 3:
            q.put_nowait(x + 1)
        q.task_done()

async def main():
    q = asyncio.Queue()
    await q.join()
    say("nothing to join")
    w = asyncio.create_task(worker(q))
    q.put_nowait(1)
    q.put_nowait(10)
    j = asyncio.create_task(q.join())
    j.add_done_callback(lambda t: say("joined"))
    for i in range(6):
        say("turn", i)
        await asyncio.sleep(0)
    await q.join()
    q.put_nowait(20)
    j = asyncio.create_task(q.join())
    await asyncio.sleep(0)
    j.cancel()
    await asyncio.wait([j])
    say(j.cancelled())
    try:
        q.task_done()
    except ValueError:
        say("too often")
    w.cancel()

asyncio.run(main())
