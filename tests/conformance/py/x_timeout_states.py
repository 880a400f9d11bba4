# x_timeout_states: when, reschedule and expired in the states of a scope
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as tm:
        say(tm.when(), tm.expired())
        tm.reschedule(loop.time() + 10)
        say(tm.when() > loop.time(), tm.expired())
        tm.reschedule(None)
        say(tm.when())
    say(tm.expired())
    try:
        tm.reschedule(1)
    except RuntimeError:
        say("finished: no reschedule")
    try:
        async with asyncio.timeout(0.001) as tm:
            try:
                await asyncio.sleep(10)
            finally:
                say("expiring", tm.expired())
                try:
                    tm.reschedule(None)
                except RuntimeError:
                    say("expired: no reschedule")
    except TimeoutError:
        say("timeout", tm.expired())

asyncio.run(main())
