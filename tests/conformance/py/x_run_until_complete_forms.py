# x_run_until_complete_forms: run_until_complete of work, task, future; errors; twice; tasks survive between
import asyncio
from say import say


async def work(n):
    await asyncio.sleep(0)
    say("work", n)
    return n

async def bad():
    raise ValueError("bad")

async def background():
    for i in range(4):
        say("background", i)
        await asyncio.sleep(0)

def main():
    loop = asyncio.new_event_loop()
    say(loop.run_until_complete(work(1)))
    t = loop.create_task(work(2))
    say(loop.run_until_complete(t), t.done())
    say(loop.run_until_complete(t))
    f = loop.create_future()
    loop.call_soon(f.set_result, 3)
    say(loop.run_until_complete(f))
    try:
        loop.run_until_complete(bad())
    except ValueError as e:
        say("error", e)
    b = loop.create_task(background())
    say(loop.run_until_complete(work(4)), b.done())
    loop.run_until_complete(b)
    f = loop.create_future()
    f.cancel()
    try:
        loop.run_until_complete(f)
    except asyncio.CancelledError:
        say("cancelled")
    loop.close()

main()
