# x_process_much_data: a megabyte through a process both ways, and lines over the limit
import asyncio
from say import say


async def main():
    P = asyncio.subprocess.PIPE
    p = await asyncio.create_subprocess_exec("cat", stdin=P, stdout=P)
    data = b"0123456789abcdef" * 65536
    out, _ = await p.communicate(data)
    say(len(out), out == data)
    p = await asyncio.create_subprocess_shell("printf '%0100d\\nok\\n' 5", stdout=P, limit=20)
    try:
        await p.stdout.readline()
    except ValueError:
        say("line too long")
    say((await p.stdout.readline()).strip())
    say(await p.stdout.read() == b"", await p.wait())

asyncio.run(main())
