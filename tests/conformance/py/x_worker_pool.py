# x_worker_pool: bounded concurrency with results in order
import asyncio
from say import say


async def main():
    sem = asyncio.Semaphore(3)
    state = {"now": 0, "max": 0}
    async def fetch(n):
        async with sem:
            state["now"] += 1
            state["max"] = max(state["max"], state["now"])
            await asyncio.sleep(0.002 * (n % 3))
            state["now"] -= 1
            return n * n
    async with asyncio.TaskGroup() as g:
        ts = [g.create_task(fetch(n)) for n in range(10)]
    say([t.result() for t in ts], "max", state["max"])


asyncio.run(main())
