import asyncio, aiohttp
from bench import arg, cpu, report, run

port, n, tasks = arg(1, 0), arg(2, 30000), arg(3, 32)


async def main():
    url, left, began = f"http://127.0.0.1:{port}/", n, cpu()

    async def work(session):
        nonlocal left
        while left > 0:
            left -= 1
            async with session.get(url) as res:
                assert res.status == 200 and await res.read()

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*[work(session) for _ in range(tasks)])
    report(n, cpu() - began)


run(main())
