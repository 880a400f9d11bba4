# x_task_never_retrieved: an error nobody looked at is reported when the task is collected
import asyncio
import gc
from say import say


async def bad(m):
    raise ValueError(m)

async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda l, c: say("handler:", c["exception"]))
    t = asyncio.create_task(bad("looked at"))
    await asyncio.sleep(0)
    say("exception", t.exception())
    del t
    gc.collect()
    t = asyncio.create_task(bad("ignored"))
    await asyncio.sleep(0)
    say("done", t.done())
    del t
    gc.collect()
    await asyncio.sleep(0)
    say("end")


asyncio.run(main())
