# x_runner_errors: errors leave run, the runner stays usable; closed and nested use is refused
import asyncio
from say import say


async def bad():
    raise ValueError("boom")

async def good():
    return "good"

async def nested(r):
    c = good()
    try:
        r.run(c)
    except RuntimeError:
        say("error: nested")
    c.close()

r = asyncio.Runner()
try:
    r.run(bad())
except ValueError as e:
    say("error:", e)
say(r.run(good()))
r.run(nested(r))
r.close()
r.close()
c = good()
try:
    r.run(c)
except RuntimeError:
    say("error: closed")
c.close()
