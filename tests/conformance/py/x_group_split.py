# x_group_split: splitting a collected error by class, subclasses included
import asyncio
from say import say


class NetError(Exception): pass
class ResetError(NetError): pass

async def bad(e):
    raise e

async def main():
    try:
        async with asyncio.TaskGroup() as g:
            for e in (NetError("net"), ValueError("value"), ResetError("reset")):
                g.create_task(bad(e))
    except BaseExceptionGroup as e:
        match, rest = e.split(NetError)
        say([str(x) for x in match.exceptions], [str(x) for x in rest.exceptions])
        say(e.subgroup(LookupError) is None, len(e.subgroup(ResetError).exceptions))


asyncio.run(main())
