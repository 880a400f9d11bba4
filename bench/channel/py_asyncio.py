# N messages to a thread through a queue.Queue of CAP places, from asyncio's thread; KIND 0: numbers,
# 1: small dicts (not copied), 2: numbers that come back, one at a time
import asyncio, queue
from bench import arg, now, report, run

N, CAP, KIND = arg(1, 1000000), arg(2, 1000), arg(3, 0)

def work(there, back):
    total = 0
    while (m := there.get()) is not None:
        total += m["x"] if KIND == 1 else m
        if KIND == 2:
            back.put(m)
    return total

async def main():
    there, back = queue.Queue(CAP), queue.Queue(CAP)
    worker = asyncio.create_task(asyncio.to_thread(work, there, back))
    await asyncio.sleep(0)
    t = now()
    for i in range(1, N + 1):
        there.put({"x": i, "y": 0.5, "name": "point"} if KIND == 1 else i)
        if KIND == 2:
            back.get()
    there.put(None)
    total = await worker
    report(N, now() - t)
    assert total == N * (N + 1) // 2

run(main())
