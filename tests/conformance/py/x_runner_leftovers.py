# x_runner_leftovers: tasks live on between runs and are cancelled when the runner closes
import asyncio
from say import say


async def server(q):
    try:
        while True:
            item, f = await q.get()
            f.set_result(item * 2)
    finally:
        say("server closed")

async def start():
    q = asyncio.Queue()
    return q, asyncio.create_task(server(q))

async def ask(q, n):
    f = asyncio.get_running_loop().create_future()
    q.put_nowait((n, f))
    say("answer", await f)

with asyncio.Runner() as r:
    q, t = r.run(start())
    say("between runs", t.done())
    r.run(ask(q, 1))
    r.run(ask(q, 2))
    say("closing", t.done())
say("cancelled", t.cancelled())
