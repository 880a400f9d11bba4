# x_barrier_turns: who leaves a barrier in which turn, and who comes while it drains
import asyncio
from say import say


async def w(b, n, log):
    say("comes", n)
    i = await b.wait()
    say("leaves", n, b.n_waiting, b.broken)
    log.append(i)

async def main():
    b = asyncio.Barrier(3)
    log = []
    say(b.parties, b.n_waiting, b.broken)
    ts = [asyncio.create_task(w(b, i, log)) for i in range(4)]
    for i in range(5):
        say("turn", i)
        await asyncio.sleep(0)
    say(sorted(log), b.n_waiting)
    ts += [asyncio.create_task(w(b, i, log)) for i in (4, 5)]
    await asyncio.gather(*ts)
    say(sorted(log), b.n_waiting)

asyncio.run(main())
