# x_wait_same_turn: two tasks that end in the same turn are both done
import asyncio
from say import say


async def work(ev, n):
    await ev.wait()
    return n

async def main():
    ev = asyncio.Event()
    ts = [asyncio.create_task(work(ev, n)) for n in (1, 2)]
    never = asyncio.create_task(asyncio.sleep(10))
    asyncio.get_running_loop().call_soon(ev.set)
    done, pending = await asyncio.wait(ts + [never], return_when=asyncio.FIRST_COMPLETED)
    say(sorted(t.result() for t in done), "pending", len(pending))
    never.cancel()


asyncio.run(main())
