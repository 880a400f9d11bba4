# x_sleep_order: shorter sleeps end first, no sleep and a negative one give way for one turn
import asyncio
from say import say


async def sleeper(d, n):
    await asyncio.sleep(d)
    say(n)

async def main():
    await asyncio.gather(sleeper(0.03, "third"), sleeper(0.01, "first"), sleeper(0.02, "second"))
    t = asyncio.create_task(sleeper(-1, "negative"))
    u = asyncio.create_task(sleeper(0, "zero"))
    await asyncio.sleep(0)
    say("turn one")
    await asyncio.sleep(0)
    say("turn two")
    await asyncio.gather(t, u)


asyncio.run(main())
