# x_queue_getters_fifo: waiting consumers are served in the order in which they came
import asyncio
from say import say


async def main():
    q = asyncio.Queue()
    async def consumer(n):
        say("consumer", n, "got", await q.get())
    ts = [asyncio.create_task(consumer(n)) for n in range(3)]
    await asyncio.sleep(0)
    for v in "xyz":
        q.put_nowait(v)
    say("size before they run", q.qsize())
    await asyncio.gather(*ts)
    say("size", q.qsize())


asyncio.run(main())
