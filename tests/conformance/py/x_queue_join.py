# x_queue_join: join waits until every item is marked done
import asyncio
from say import say


async def main():
    q = asyncio.Queue()
    await q.join()
    say("joined an empty queue")
    async def worker(n):
        while True:
            item = await q.get()
            await asyncio.sleep(0.002)
            say("worker", n, "item", item)
            q.task_done()
    ws = [asyncio.create_task(worker(n)) for n in range(2)]
    for n in range(5):
        q.put_nowait(n)
    await q.join()
    say("joined, left", q.qsize())
    for w in ws:
        w.cancel()
    await asyncio.gather(*ws, return_exceptions=True)
    say("workers", [w.cancelled() for w in ws])


asyncio.run(main())
