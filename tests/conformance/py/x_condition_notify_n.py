# x_condition_notify_n: notify(n) wakes the first n, notify_all the rest; each holds the lock alone
import asyncio
from say import say


async def main():
    cond = asyncio.Condition()
    inside = []
    async def waiter(n):
        async with cond:
            await cond.wait()
            inside.append(n)
            say("woke", n, "inside", len(inside))
            await asyncio.sleep(0)
            inside.remove(n)
    ts = [asyncio.create_task(waiter(n)) for n in range(5)]
    await asyncio.sleep(0.01)
    async with cond:
        cond.notify(2)
    await asyncio.sleep(0.01)
    say("two are out")
    async with cond:
        cond.notify_all()
        say("notified, nobody runs while the lock is held")
    await asyncio.gather(*ts)


asyncio.run(main())
