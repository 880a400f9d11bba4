#!/usr/bin/env python3
"""Measures aio beside its peers and prints one markdown table.

  bench/run.py                            everything, 9 rounds
  bench/run.py --quick                    everything, small and 3 rounds: a few minutes
  bench/run.py spawn switch -p aio,go     some workloads, some peers
  bench/run.py tcp_echo -c 4096           only cases whose name holds this text
  bench/run.py --list                     what there is

The runs of a round go through the peers in turn, so that a slow minute of the machine falls on all
of them; a ratio is the median of the ratios of each round.
"""
import argparse, json, os, statistics, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
sys.dont_write_bytecode = True
import datafiles, measure, peers


SERVED = {"http"}  # servers whose loader is another's program


class Case:
    """One line of work: (name, program's arguments) in full and quick, and the goals: peer -> the
    greatest ratio of aio's CPU time to the peer's."""

    def __init__(self, workload, full, quick, goals):
        self.workload, self.sizes, self.goals = workload, {False: full, True: quick}, goals
        served, asked = (os.path.exists(os.path.join(HERE, workload, file))
                         for file in ("loader.c", "responder.c"))
        served = served or workload in SERVED
        self.run = measure.server if served else measure.client if asked else measure.program

    def size(self, quick):
        self.name, self.args = self.sizes[quick]


def echo(conns, size, of_epoll):
    ahead = {"c_epoll": of_epoll, "go": 1, "lua_luv": 1, "lua_luv_co": 1, "py_uvloop": 1}
    name, load = f"{conns} x {size} B", f"{conns} {size}"
    return Case("tcp_echo", (name, f"{load} 1.5"), (name, f"{load} 0.5"), ahead)


def throughput(role):
    ahead = {"c_epoll": 1.11, "go": 1, "lua_luv": 1, "py_uvloop": 1}
    return Case("throughput", (f"{role}, 4 GiB", f"{role} 4096"),
                (f"{role}, 512 MiB", f"{role} 512"), ahead)


def tls(name, load, of_c):
    ahead = {"c_openssl": of_c, "go": 1, "node": 1, "py_asyncio": 1, "py_uvloop": 1}
    return Case("tls_echo", (name, f"{load} 1.5"), (name, f"{load} 0.5"), ahead)


def websocket(conns, size):
    ahead = {"py_asyncio": 1, "py_uvloop": 1, "py_websockets": 1, "node_ws": 1}
    name, load = f"{conns} x {size} B", f"{conns} {size}"
    return Case("ws_echo", (name, f"{load} 1.5"), (name, f"{load} 0.5"), ahead)


def http(name, path, of_nginx_lua, conns=64, **more):
    ahead = {"nginx_lua": of_nginx_lua, "go": 1, "node": 1, "py_aiohttp_uvloop": 1, "lua_http": 1}
    return Case("http", (name, f"{path} {conns} 3"), (name, f"{path} {conns} 1"), {**ahead, **more})


CASES = [
    Case("spawn", ("1M tasks", "1000000"), ("200k tasks", "200000"), {"go": 1.2}),
    Case("switch", ("2 tasks", "2 1000000"), ("2 tasks", "2 300000"), {"lua_floor": 2}),
    Case("switch", ("1000 tasks", "1000 1000"), ("1000 tasks", "1000 300"), {}),
    Case("sleepers", ("1M tasks", "1000000 5"), ("100k tasks", "100000 2"), {"lua_floor": 3}),
    Case("queue", ("bound 100", "1000000 100"), ("bound 100", "300000 100"), {"lua_luv": 1}),
    Case("queue", ("no bound", "1000000 0"), ("no bound", "300000 0"), {}),
    Case("future", ("set when awaited", "1000000 1"), ("set when awaited", "300000 1"), {"go": 1}),
    Case("future", ("set before", "1000000 0"), ("set before", "300000 0"), {}),
    Case("lock", ("100 tasks", "100 10000"), ("100 tasks", "100 2000"), {"go": 1}),
    Case("cancel", ("100k sleepers", "100000"), ("30k sleepers", "30000"), {"go": 1}),
    Case("cpu", ("8 x fib(30), 2 threads", "8 30 2"), ("4 x fib(25), 2 threads", "4 25 2"), {}),
    Case("to_thread", ("one at a time", "100000"), ("one at a time", "20000"),
         {"py_asyncio": 1 / 3, "node": 1}),
    Case("channel", ("numbers", "1000000 1000 0"), ("numbers", "200000 1000 0"), {"node": 0.2}),
    Case("channel", ("tables", "300000 1000 1"), ("tables", "50000 1000 1"), {}),
    Case("channel", ("there and back", "100000 1 2"), ("there and back", "20000 1 2"), {"node": 1}),
    Case("copy", ("1 MiB of records", "100 1024 0"), ("1 MiB of records", "10 1024 0"), {}),
    Case("copy", ("1 MiB of numbers", "100 1024 1"), ("1 MiB of numbers", "20 1024 1"), {}),
    Case("copy", ("16 MiB in a string", "50 16384 2"), ("16 MiB in a string", "10 16384 2"), {}),
    Case("udp_echo", ("64 B", "200000 64"), ("64 B", "50000 64"),
         {"c_epoll": 1.5, "go": 1, "lua_luv": 1}),
    Case("subprocess", ("16 at once", "1000 16"), ("16 at once", "300 16"), {"go": 1.2}),
    echo(64, 64, 1.20),
    echo(64, 4096, 1.15),
    echo(1000, 64, 1.15),
    Case("connect", ("10 at a time", "30000 10"), ("10 at a time", "5000 10"),
         {"go": 1, "py_asyncio": 0.2, "py_uvloop": 1, "node": 1}),
    throughput("send"),
    throughput("receive"),
    Case("http_client", ("32 at a time", "100000 32"), ("32 at a time", "20000 32"),
         {"go": 1.3, "node": 1, "py_asyncio": 1, "py_uvloop": 1}),
    http("hello, 64 connections", "/", 1.13, c_epoll=1.31, nginx=1.16),
    http("JSON, 64 connections", "/json", 1.06, c_epoll=1.64, nginx=1.39),
    http("1 MiB, 16 connections", "/big", 1, 16),
    Case("files", ("small, one by one", "small 1000 1"), ("small, one by one", "small 1000 1"),
         {"py_asyncio": 1 / 3, "node": 1}),
    Case("files", ("small, 16 at once", "small 1000 16"), ("small, 16 at once", "small 1000 16"),
         {"py_asyncio": 1 / 3, "node": 1}),
    Case("files", ("lines of 256 MiB", "lines 256"), ("lines of 32 MiB", "lines 32"), {"lua_plain": 2}),
    Case("files", ("1 GiB, 64 KiB at a time", "blocks 1024 64"),
         ("128 MiB, 64 KiB at a time", "blocks 128 64"), {"py_asyncio": 1}),
    Case("files", ("1 GiB, 1 MiB at a time", "blocks 1024 1024"),
         ("128 MiB, 1 MiB at a time", "blocks 128 1024"), {"py_asyncio": 1}),
    Case("sendfile", ("1 GiB", "send 1024"), ("256 MiB", "send 256"), {"c_epoll": 1.05, "go": 1}),
    websocket(64, 64),
    websocket(64, 4096),
    websocket(64, 65536),
    tls("64 x 64 B", "64 64", 1.15),
    tls("64 x 4096 B", "64 4096", 1.15),
    tls("handshake", "64 full", 1.15),
    tls("handshake, resumed", "64 resumed", 1.15),
]
MOST_BYTES = 1500  # for a sleeping task: sleepers have a second figure

HEAD = "| workload | peer | CPU us/op | aio / peer | goal |\n|---|---|---:|---:|---|"


def play(case, names, table, opt, raw):
    """All rounds of a case: peer -> list of results, or a text that says why there is none."""
    rows = {name: [] for name in names}
    for number in range(opt.rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if isinstance(rows[name], str):
                continue
            try:
                got = case.run(case.workload, table[name], case.args, opt.limit)
            except Exception as why:  # a peer that fails is a line of the table, not the end of it
                rows[name] = f"failed: {why}"[:160]
                continue
            rows[name].append(got)
            note = {"workload": case.workload, "case": case.name, "peer": name, **got}
            raw.write(json.dumps(note) + "\n")
            raw.flush()
    return rows


def verdict(ratio, most):
    return f"at most {most:g}: {'reached' if ratio <= most else 'missed'}"


def line(case, name, results, ours, key, form):
    """One row of the table; `ours` are aio's results of the same rounds."""
    value = statistics.median(one[key] for one in results)
    ratio = goal = ""
    if ours and results is not ours:
        each = [a[key] / max(b[key], 1e-9) for a, b in zip(ours, results)]
        ratio = f"{statistics.median(each):.2f}"
        if key == "cpu_us" and name in case.goals:
            goal = verdict(statistics.median(each), case.goals[name])
    if key == "bytes_per_task" and results is ours:
        goal = verdict(value, MOST_BYTES)
    return f"| {case.workload}: {case.name} | {name} | {value:{form}} | {ratio} | {goal} |"


def show(case, rows):
    done = {name: rows[name] for name in rows if isinstance(rows[name], list)}
    ours = done.get("aio")
    figures = [("cpu_us", ".3f")]
    if case.workload == "sleepers":
        figures.append(("bytes_per_task", ",.0f"))
    for key, form in figures:
        for name in sorted(done, key=lambda n: statistics.median(one[key] for one in done[n])):
            text = line(case, name, done[name], ours, key, form)
            print(text if key == "cpu_us" else text.replace(" |", ", bytes each |", 1))
    for name, why in rows.items():
        if isinstance(why, str):
            print(f"| {case.workload}: {case.name} | {name} | {why} | | |")
    sys.stdout.flush()


def options():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("workloads", nargs="*", metavar="workload")
    ap.add_argument("-p", "--peers", help="only these, with commas between")
    ap.add_argument("-x", "--without", default="", help="not these")
    ap.add_argument("-c", "--case", default="", help="only cases whose name holds this text")
    ap.add_argument("-n", "--rounds", type=int, help="9, or 3 with --quick")
    ap.add_argument("-q", "--quick", action="store_true", help="small sizes")
    ap.add_argument("--limit", type=float, default=120, help="seconds allowed for one run")
    ap.add_argument("--raw", default=os.path.join(peers.BUILD, "raw.jsonl"),
                    help="every result is added here")
    ap.add_argument("--list", action="store_true")
    opt = ap.parse_args()
    opt.rounds = opt.rounds or (3 if opt.quick else 9)
    unknown = set(opt.workloads) - {case.workload for case in CASES}
    if unknown:
        ap.error("no workload " + " ".join(unknown))
    for case in CASES:
        case.size(opt.quick)
    chosen = opt.workloads or [case.workload for case in CASES]
    opt.cases = [case for case in CASES if case.workload in chosen and opt.case in case.name]
    return opt, ap


def choose(opt, ap):
    """The peers that are asked for and here; names those that are missing."""
    table = peers.table()
    asked = opt.peers.split(",") if opt.peers else list(table)
    for name in asked + [n for n in opt.without.split(",") if n]:
        if name not in table:
            ap.error(f"no peer {name}: " + " ".join(table))
    asked = [name for name in asked if name not in opt.without.split(",")]
    env = peers.environment()
    here = [name for name in asked if peers.installed(name, table[name], env)]
    for name in asked:
        if name not in here:
            print(f"not installed: {name} ({table[name].package})", file=sys.stderr)
    return table, here


def main():
    opt, ap = options()
    table, here = choose(opt, ap)
    os.makedirs(peers.BUILD, exist_ok=True)
    if not opt.list:
        print(f"{opt.rounds} rounds{', small sizes' if opt.quick else ''}\n\n{HEAD}")
    with open(opt.raw, "a") as raw:
        for case in opt.cases:
            names = [name for name in here if table[name].answers(case.workload)]
            if opt.list:
                print(f"{case.workload}: {case.name}\n  " + " ".join(names))
                continue
            for name in names:
                peers.command(case.workload, table[name])  # compiled before the first round
            with datafiles.made_for(case):
                show(case, play(case, names, table, opt, raw))


if __name__ == "__main__":
    main()
