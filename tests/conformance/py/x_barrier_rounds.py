# x_barrier_rounds: a barrier is used again and again; one index is the leader's
import asyncio
from say import say


async def main():
    bar = asyncio.Barrier(3)
    leaders = []
    async def party(n):
        for turn in range(2):
            await asyncio.sleep(0.002 * n)
            if await bar.wait() == 0:
                leaders.append(turn)
    await asyncio.gather(*(party(n) for n in range(3)))
    say("one leader a round", leaders)
    solo = asyncio.Barrier(1)
    say("alone", await solo.wait(), solo.n_waiting)
    try:
        asyncio.Barrier(0)
    except ValueError:
        say("error: no parties")


asyncio.run(main())
