# x_never_retrieved_rules: which errors are reported as never looked at, and which are not
import asyncio
import gc
from say import say


async def bad(n):
    raise ValueError(n)


async def lose(name, use):
    async def run():
        t = asyncio.create_task(bad(name))
        await asyncio.wait([t])
        await use(t)
    await run()
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda l, c: say("reported", c["exception"]))

    async def nothing(t):
        pass

    async def ask(t):
        t.exception()

    async def wait(t):
        await asyncio.wait([t])

    async def catch(t):
        try:
            await t
        except ValueError:
            pass

    async def gather(t):
        await asyncio.gather(t, return_exceptions=True)

    async def cancel(t):
        t.cancel()

    async def future(t):
        t.exception()
        f = loop.create_future()
        f.set_exception(ValueError("future"))
        f.cancel()

    await lose("unseen", nothing)
    await lose("asked", ask)
    await lose("waited only", wait)
    await lose("awaited", catch)
    await lose("in gather", gather)
    await lose("cancelled later", cancel)
    await lose("future", future)
    say("end")

asyncio.run(main())
