#!/usr/bin/env python3
"""Holds many connections to an aio server, few of them busy: memory and descriptors.

  bench/connections/run.py [CONNS [BUSY [SECONDS [WAVES]]]]      10000 64 5 3 by default
  bench/connections/run.py http [CONNS]       idle keep-alive connections of a server of HTTP

Server and client are processes of their own. Each wave of connections is opened, used and closed;
the server is looked at in between, after a full collection and with free memory given back to the
system. The end is good when after the last wave the server has the descriptors and the tasks of the
start, and its memory is larger by at most KEPT: idle coroutines and the slots of tables are kept
for the next tasks, up to a bound.
"""
import functools, os, resource, socket, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
sys.dont_write_bytecode = True
import peers

KEPT = 3 << 20
SPARE = 100  # descriptors that a process has besides its connections


def rss(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmRSS"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def stat(port):
    """What the server says of its Lua state: bytes, tasks."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"stat\n")
        return [int(word) for word in s.makefile().readline().split()]


def look(pid, port, fds):
    """A row: descriptors, RSS, Lua bytes, tasks, once the descriptors are as few as `fds`."""
    for _ in range(200):
        lua, tasks = stat(port)
        time.sleep(0.05)
        if descriptors(pid) <= fds:
            break
    return descriptors(pid), rss(pid), lua, tasks


def row(name, fds, memory, lua, tasks, more=""):
    mib, kib = memory / 1048576, lua / 1024
    print(f"| {name} | {fds:,} | {mib:.2f} | {kib:,.0f} | {tasks:,} | {more} |", flush=True)


@functools.lru_cache(None)
def environment():
    """The paths of aio, and the module that gives memory back."""
    os.makedirs(peers.BUILD, exist_ok=True)
    flags = ["pkg-config", "--cflags", "lua5.4"]
    flags = subprocess.run(flags, capture_output=True, text=True).stdout.split()
    target, source = os.path.join(peers.BUILD, "trim.so"), os.path.join(HERE, "trim.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", target, source] + flags, check=True)
    env = peers.environment()
    return {**env, "LUA_CPATH": os.path.join(peers.BUILD, "?.so") + ";" + env["LUA_CPATH"]}


def spawn(name, *args):
    words = ["lua5.4", os.path.join(HERE, name)] + [str(a) for a in args]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, env=environment(), stdin=pipe, stdout=pipe, text=True)


def word(child):
    line = child.stdout.readline().strip()
    if not line:
        raise SystemExit("a program ended early")
    return line


def go_on(child):
    child.stdin.write("\n")
    child.stdin.flush()


def wave(number, server, port, conns, busy, seconds, start):
    client = spawn("client.lua", port, conns, busy, seconds)
    word(client)
    held = (descriptors(server.pid), rss(server.pid)) + tuple(stat(port))
    each = (held[1] - start[1]) / conns
    row(f"wave {number}, open", *held, f"{each:,.0f} bytes a connection")
    go_on(client)
    answers = int(word(client))
    row(f"wave {number}, busy", descriptors(server.pid), rss(server.pid), *stat(port),
        f"{answers / seconds:,.0f} answers/s over {busy} connections")
    go_on(client)
    if client.wait():
        raise SystemExit("the client failed")
    after = look(server.pid, port, start[0])
    row(f"wave {number}, after", *after)
    return after


REQUEST = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
HTTP_MOST = 6 << 10  # bytes of user memory that an idle connection may take


def ask(conn, path):
    """The body of an answer that comes whole."""
    conn.sendall(REQUEST % path)
    data = b""
    while b"\r\n\r\n" not in data or not data.split(b"\r\n\r\n", 1)[1]:
        data += conn.recv(65536)
    return data.split(b"\r\n\r\n", 1)[1]


def idle_http(conns):
    """Each connection has had one answer, and waits."""
    server = spawn("http_server.lua")
    try:
        port = int(word(server))
        first = socket.create_connection(("127.0.0.1", port))
        ask(first, b"/")
        start = (int(ask(first, b"/stat").split()[0]), rss(server.pid))
        held = []
        for _ in range(conns):
            held.append(socket.create_connection(("127.0.0.1", port)))
            ask(held[-1], b"/")
        lua, memory = int(ask(first, b"/stat").split()[0]), rss(server.pid)
    finally:
        server.kill()
        server.wait()
    each = (memory - start[1]) / conns
    print(f"{conns:,} idle connections of HTTP: {each:,.0f} bytes of resident memory each, "
          f"{(lua - start[0]) / conns:,.0f} of them Lua's; at most {HTTP_MOST:,}: "
          + ("reached" if each <= HTTP_MOST else "missed"))
    return 0 if each <= HTTP_MOST else 1


def main():
    http = sys.argv[1:2] == ["http"]
    if http:
        del sys.argv[1]
    given = [int(a) for a in sys.argv[1:]]
    conns, busy, seconds, waves = given + [10000, 64, 5, 3][len(given):]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < conns + SPARE:
        raise SystemExit(f"the hard limit of descriptors is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (conns + SPARE, hard))
    if http:
        return idle_http(conns)
    server = spawn("server.lua")
    try:
        port = int(word(server))
        look(server.pid, port, 1 << 30)  # the first connection makes what is made once
        start = look(server.pid, port, 1 << 30)
        print("| server | descriptors | RSS MiB | Lua KiB | tasks | |")
        print("|---|---:|---:|---:|---:|---|")
        row("start", *start)
        after = [wave(n + 1, server, port, conns, busy, seconds, start) for n in range(waves)]
    finally:
        server.kill()
        server.wait()
    fds, memory, lua, tasks = after[-1]
    good = (fds, tasks) == (start[0], start[3]) and max(lua - start[2], memory - start[1]) <= KEPT
    print("\nback to the start" if good else "\nNOT back to the start")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
