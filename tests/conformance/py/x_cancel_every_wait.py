# x_cancel_every_wait: a cancel reaches a task in every kind of wait, nothing is left behind
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    lock = asyncio.Lock(); await lock.acquire()
    sem = asyncio.Semaphore(0)
    ev = asyncio.Event()
    cond = asyncio.Condition()
    q = asyncio.Queue(1); full = asyncio.Queue(1); full.put_nowait(1)
    bar = asyncio.Barrier(2)
    fut = loop.create_future()
    async def cw():
        async with cond:
            await cond.wait()
    async def gw():
        async with asyncio.TaskGroup() as tg:
            tg.create_task(asyncio.sleep(10))
    waits = dict(lock=lock.acquire, sem=sem.acquire, event=ev.wait, cond=cw, get=q.get, put=lambda: full.put(2),
        join=full.join, barrier=bar.wait,
        group=gw, sleep=lambda: asyncio.sleep(10))
    for n, f in waits.items():
        async def run():
            await f()
        t = asyncio.create_task(run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        t.cancel(n)
        k = 0
        while not t.done():
            k += 1
            await asyncio.sleep(0)
        say(n, t.cancelled(), k)
    say(lock.locked(), q.qsize(), full.qsize(), bar.n_waiting, cond.locked())

asyncio.run(main())
