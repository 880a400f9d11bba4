# x_barrier_reset: reset breaks those who wait, then the barrier works again
import asyncio
from say import say


async def main():
    bar = asyncio.Barrier(2)
    async def party(n):
        try:
            await bar.wait()
            return n + " passed"
        except asyncio.BrokenBarrierError:
            return n + " broken"
    t = asyncio.create_task(party("early"))
    await asyncio.sleep(0.01)
    await bar.reset()
    say(await t)
    say("broken", bar.broken, "waiting", bar.n_waiting)
    say(await asyncio.gather(party("a"), party("b")))
    await bar.abort()
    say("broken", bar.broken)
    await bar.reset()
    say("broken", bar.broken)
    say(await asyncio.gather(party("c"), party("d")))


asyncio.run(main())
