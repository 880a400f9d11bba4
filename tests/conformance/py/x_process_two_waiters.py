# x_process_two_waiters: two tasks wait for a process, one is cancelled, the process runs on
import asyncio
from say import say


async def waiter(p, n):
    try:
        say("ended", n, await p.wait())
    except asyncio.CancelledError:
        say("cancelled", n, p.returncode)
        raise

async def main():
    P = asyncio.subprocess.PIPE
    p = await asyncio.create_subprocess_exec("sh", "-c", "read x; exit $x", stdin=P)
    a, b = (asyncio.create_task(waiter(p, n)) for n in "ab")
    await asyncio.sleep(0.01)
    a.cancel()
    await asyncio.wait([a])
    p.stdin.write(b"7\n")
    await p.stdin.drain()
    await b
    say(p.returncode)

asyncio.run(main())
