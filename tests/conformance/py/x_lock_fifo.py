# x_lock_fifo: contenders take turns in the order in which they came
import asyncio
from say import say


async def main():
    lock = asyncio.Lock()
    async def worker(n):
        for turn in range(2):
            async with lock:
                say("worker", n, "turn", turn)
                await asyncio.sleep(0)
    await asyncio.gather(*(worker(n) for n in range(4)))


asyncio.run(main())
