# x_task_result_states: result and exception of a task in every state
import asyncio
from say import say


async def work(f):
    return await f

def ask(name, fn):
    try:
        say(name, fn())
    except asyncio.InvalidStateError:
        say(name, "invalid state")
    except asyncio.CancelledError:
        say(name, "cancelled")
    except ValueError as e:
        say(name, "raises", e)

async def main():
    fs = [asyncio.get_running_loop().create_future() for _ in range(3)]
    ts = [asyncio.create_task(work(f)) for f in fs]
    await asyncio.sleep(0)
    ask("pending result", ts[0].result)
    ask("pending exception", ts[0].exception)
    fs[0].set_result("value")
    fs[1].set_exception(ValueError("boom"))
    ts[2].cancel()
    await asyncio.wait(ts)
    ask("done result", ts[0].result)
    ask("done exception", ts[0].exception)
    ask("failed result", ts[1].result)
    say("failed exception", str(ts[1].exception()))
    ask("cancelled result", ts[2].result)
    ask("cancelled exception", ts[2].exception)
    say([t.done() for t in ts], [t.cancelled() for t in ts])


asyncio.run(main())
