#!/usr/bin/env python3
"""An HTTP server with two workers beside the same with one: requests in a second.

  bench/workers/run.py [ROUNDS [SECONDS]]      9 3 by default

The load, `wrk -t1 -c64`, needs a processor too. So the handler has work to do (fib(20) in Lua, some
300 us), beside which the load is a few parts in a hundred; one worker and two take turns, on all
processors. Prints each round, then the median of the ratios.
"""
import os, statistics, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
sys.dont_write_bytecode = True
import measure, peers


def rate(workers, seconds):
    """Requests in a second that a server with so many workers answers."""
    words, env = peers.command("http", peers.table()["aio"])
    port = measure.free_port()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(words + [str(port)], env={**env, "WORKERS": str(workers)},
                                 stderr=log, stdout=subprocess.DEVNULL)
        try:
            measure.wait_open(port, child, log)
            measure.wrk(port, "/fib", 64, 1)
            return measure.wrk(port, "/fib", 64, seconds) / seconds
        finally:
            measure.end(child)


def main():
    rounds, seconds = [int(a) for a in sys.argv[1:]] + [9, 3][len(sys.argv) - 1 :]
    measure.LOADER_CPU = set(measure.CPUS)
    ratios = []
    for _ in range(rounds):
        one, two = rate(1, seconds), rate(2, seconds)
        ratios.append(two / one)
        print(f"one {one:,.0f} /s, two {two:,.0f} /s: {two / one:.2f}", flush=True)
    print(f"median {statistics.median(ratios):.2f}")


main()
