# files: small N CONC | lines MIB | blocks MIB KIB
import asyncio, os, sys
from bench import arg, now, report, run

WHAT, N, CONC = sys.argv[1], arg(2, 1000), arg(3, 1)
MIB, SIZE, LINE, ROUNDS, BLOCK = 1 << 20, 1000, 64, 20, arg(3, 1) * 1024
FOLDER = os.environ["BENCH_FILES"]

def read(path):
    with open(path, "rb") as f:
        return f.read()

async def small():
    paths = [f"{FOLDER}/{i}" for i in range(1, N + 1)]
    for _ in range(ROUNDS):
        if CONC == 1:
            size = sum([len(await asyncio.to_thread(read, path)) for path in paths])
        else:
            todo, sizes = iter(paths), []
            async def worker():
                for path in todo:
                    sizes.append(len(await asyncio.to_thread(read, path)))
            await asyncio.gather(*[worker() for _ in range(CONC)])
            size = sum(sizes)
        assert size == N * SIZE
    return N * ROUNDS

async def lines():
    # a thread for each batch of lines: one for each line would take minutes
    count = 0
    with await asyncio.to_thread(open, FOLDER + "/big", "rb") as f:
        while batch := await asyncio.to_thread(f.readlines, 65536):
            for _ in batch:
                count += 1
    assert count == N * MIB // LINE
    return N

async def blocks():
    size = 0
    with await asyncio.to_thread(open, FOLDER + "/big", "rb", 0) as f:
        while data := await asyncio.to_thread(f.read, BLOCK):
            size += len(data)
    assert size == N * MIB
    return N

async def main():
    t = now()
    report(await {"small": small, "lines": lines, "blocks": blocks}[WHAT](), now() - t)

run(main())
