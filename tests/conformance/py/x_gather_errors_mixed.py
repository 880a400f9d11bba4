# x_gather_errors_mixed: results, errors, cancelled children and futures in one list
import asyncio
from say import say


async def ok(n):
    return n

async def bad(n):
    raise ValueError(n)

async def main():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    g = loop.create_future()
    t = asyncio.create_task(asyncio.sleep(10))
    loop.call_soon(f.set_exception, KeyError("f"))
    loop.call_soon(g.cancel)
    loop.call_soon(t.cancel)
    r = await asyncio.gather(ok(1), f, bad("x"), g, t, ok(2), return_exceptions=True)
    say([type(x).__name__ if isinstance(x, BaseException) else x for x in r])

asyncio.run(main())
