# x_executor_order: one worker runs jobs in order; a cancelled queued job never runs
import asyncio
from say import say


import concurrent.futures, time
async def main():
    loop = asyncio.get_running_loop()
    with concurrent.futures.ThreadPoolExecutor(1) as ex:
        def job(n):
            time.sleep(0.02)
            return n
        fs = [loop.run_in_executor(ex, job, i) for i in range(3)]
        await asyncio.sleep(0.005)
        say(fs[2].cancel(), fs[2].cancelled())
        say(await fs[0], await fs[1])
        def bad():
            raise KeyError("bad")
        f = loop.run_in_executor(ex, bad)
        try:
            await f
        except KeyError as e:
            say("error", e.args[0], f.exception() is e)
    try:
        await loop.run_in_executor(ex, job, 1)
    except RuntimeError:
        say("shut down")

asyncio.run(main())
