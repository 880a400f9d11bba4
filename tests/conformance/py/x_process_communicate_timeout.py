# x_process_communicate_timeout: communicate cut off by a timeout, the process killed, its output read
import asyncio
from say import say


async def main():
    P = asyncio.subprocess.PIPE
    p = await asyncio.create_subprocess_shell("echo first; exec sleep 30", stdout=P, stdin=P)
    try:
        await asyncio.wait_for(p.communicate(), 0.2)
    except TimeoutError:
        say("timeout", p.returncode)
    p.kill()
    say(await p.wait())
    say(p.returncode)

asyncio.run(main())
