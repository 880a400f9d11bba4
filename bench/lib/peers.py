"""Who is measured: how each peer is found on this machine, compiled and started.

A peer is a file name; a workload that has a file of that name has an answer for the peer. Several
peers may be the same file under another setting.
"""
import atexit, functools, os, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(HERE, "build")


# what the C peers are compiled against
PACKAGES = {"lua_floor.c": ["lua5.4"], "c_libuv.c": ["libuv"], "c_openssl.c": ["openssl"],
            "tls_echo/loader.c": ["openssl"]}


class Peer:
    """`file` in a workload's folder; `start`, the words before the file (None: it is compiled);
    `env`, settings; `package`, what Debian calls it; `only`, the workloads where `env` matters;
    `lacks`, those that it has no answer for although the file has one."""

    def __init__(self, file, start, package, env=None, only=None, lacks=()):
        self.file, self.start, self.package = file, start, package
        self.env, self.only, self.lacks = env or {}, only, lacks

    def answers(self, workload):
        path = os.path.join(HERE, workload, self.file)
        meant = workload not in self.lacks and (self.only is None or workload in self.only)
        return meant and os.path.exists(path)


def pick_python():
    """The first python3 on PATH that has uvloop, or this one."""
    for folder in os.environ["PATH"].split(os.pathsep):
        exe = os.path.join(folder, "python3")
        if os.access(exe, os.X_OK) and works([exe, "-c", "import uvloop"]):
            return exe
    return sys.executable


def works(command, env=None):
    try:
        return subprocess.run(command, env=env, capture_output=True).returncode == 0
    except OSError:
        return False


@functools.lru_cache(None)
def lua_paths():
    """LUA_PATH and LUA_CPATH: the build of aio that AIO_BUILD names (build/normal when there is
    one, else what is installed), bench/lib, and the folders of packages for older Luas."""
    root = os.path.dirname(HERE)
    command = ["lua5.4", "-e", "print(package.path) print(package.cpath)"]
    path, cpath = subprocess.run(command, capture_output=True, text=True).stdout.split()
    older = [path.replace("5.4", version) for version in ("5.3", "5.2", "5.1")]
    build = os.environ.get("AIO_BUILD") or os.path.join(root, "build", "normal")
    if os.path.exists(os.path.join(build, "aio", "core.so")):
        path = f"{root}/lua/?.lua;{root}/lua/?/init.lua;{path}"
        cpath = f"{build}/?.so;{cpath}"
    return {"LUA_PATH": ";".join([f"{HERE}/lib/?.lua", path] + older), "LUA_CPATH": cpath}


def table():
    """Every peer by name, in the order in which they run."""
    py, node, lua = [pick_python()], ["node"], ["lua5.4"]
    uv = {"LOOP": "uvloop"}
    return {
        "aio": Peer("aio.lua", lua, "aio itself"),
        "aio_protocol": Peer("aio_protocol.lua", lua, "aio itself"),
        "go": Peer("go.go", None, "golang-go"),
        "node": Peer("node.js", node, "nodejs"),
        "node_defer": Peer("node.js", node, "nodejs", {"DEFER": "1"}, {"spawn"}),
        "node_immediate": Peer("node.js", node, "nodejs", {"IMMEDIATE": "1"}, {"switch"}),
        "node_async": Peer("node_async.js", node, "nodejs"),
        "py_asyncio": Peer("py_asyncio.py", py, "python3"),
        "py_uvloop": Peer("py_asyncio.py", py, "python3-uvloop", uv, lacks={"sendfile"}),
        "py_protocol_uvloop": Peer("py_protocol.py", py, "python3-uvloop", uv),
        "py_websockets": Peer("py_websockets.py", py, "python3-websockets"),
        "node_ws": Peer("node_ws.js", node, "node-ws",
                        {"NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"}),
        "lua_luv": Peer("lua_luv.lua", lua, "lua-luv"),
        "lua_luv_co": Peer("lua_luv_co.lua", lua, "lua-luv"),
        "lua_cqueues": Peer("lua_cqueues.lua", lua, "lua-cqueues"),
        "lua_copas": Peer("lua_copas.lua", lua, "lua-copas"),
        "lua_plain": Peer("lua_plain.lua", lua, "lua5.4"),
        "lua_floor": Peer("lua_floor.c", None, "gcc liblua5.4-dev"),
        "c_epoll": Peer("c_epoll.c", None, "gcc"),
        "c_libuv": Peer("c_libuv.c", None, "gcc libuv1-dev"),
        "c_openssl": Peer("c_openssl.c", None, "gcc libssl-dev"),
        "nginx": Peer("nginx.py", [sys.executable], "nginx", {"HANDLER": "return"}),
        "nginx_lua": Peer("nginx.py", [sys.executable], "libnginx-mod-http-lua lua-cjson",
                          {"HANDLER": "lua"}),
        "lua_http": Peer("lua_http.lua", lua, "lua-http"),
        "py_aiohttp": Peer("py_aiohttp.py", py, "python3-aiohttp"),
        "py_aiohttp_uvloop": Peer("py_aiohttp.py", py, "python3-aiohttp", uv),
    }


def installed(name, peer, env):
    """Whether the peer can run here. A Lua peer is asked for by its module's name."""
    if peer.file.endswith(".go"):
        return shutil.which("go") is not None
    if peer.file.endswith(".c"):
        needs = PACKAGES.get(peer.file, [])
        found = [works(["pkg-config", "--exists", package]) for package in needs]
        return shutil.which("cc") is not None and all(found)
    if peer.file.endswith(".lua"):
        module = {"lua_plain": "string", "aio_protocol": "aio", "lua_http": "http.server"}.get(
            name, name.split("_")[1] if "_" in name else name)
        return works(["lua5.4", "-e", f"require '{module}'"], env)
    if peer.file == "nginx.py":
        return shutil.which("nginx") is not None
    if peer.file == "py_aiohttp.py" and not works([peer.start[0], "-c", "import aiohttp"]):
        return False
    if "LOOP" in peer.env:
        return works([peer.start[0], "-c", "import uvloop"])
    return shutil.which(peer.start[0]) is not None


@functools.lru_cache(None)
def certificate():
    """The path of a certificate for localhost and its key, in PEM; made once for each run."""
    target = os.path.join(BUILD, "localhost.pem")
    os.makedirs(BUILD, exist_ok=True)
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost".split()
        + ["-keyout", target + ".key", "-out", target], check=True, capture_output=True)
    with open(target, "a") as pem, open(target + ".key") as key:
        pem.write(key.read())
    os.remove(target + ".key")
    return target


FILE_MIB = 1024  # the most that a loader of sendfile may ask for


@functools.lru_cache(None)
def file_to_send():
    """The path of a file that was just written, and is in the page cache; gone at the end."""
    fd, path = tempfile.mkstemp(prefix="bench-")
    atexit.register(os.remove, path)
    block = bytes(range(256)) * 4096
    with open(fd, "wb") as file:
        for _ in range(FILE_MIB):
            file.write(block)
    return path


@functools.lru_cache(None)
def built(workload, file):
    """Compiles a C or Go peer into build/ when its source is newer; returns the program."""
    source = os.path.join(HERE, workload, file)
    target = os.path.join(BUILD, f"{workload}-{file.replace('.', '-')}")
    os.makedirs(BUILD, exist_ok=True)
    lib = os.path.join(HERE, "lib")
    newest = max(os.path.getmtime(path) for path in [source] + [e.path for e in os.scandir(lib)])
    if os.path.exists(target) and os.path.getmtime(target) >= newest:
        return target
    if file.endswith(".go"):
        command = ["go", "build", "-o", target, f"./{workload}/{file}"]
    else:
        command = ["cc", "-std=gnu11", "-O2", "-Wall", "-I", HERE, "-o", target, source]
        for package in PACKAGES.get(f"{workload}/{file}", PACKAGES.get(file, [])):
            flags = ["pkg-config", "--cflags", "--libs", package]
            command += subprocess.run(flags, capture_output=True, text=True).stdout.split()
    subprocess.run(command, check=True, cwd=HERE)
    return target


def command(workload, peer):
    """The command line and the environment that run a peer's file of a workload."""
    path = os.path.join(HERE, workload, peer.file)
    words = peer.start + [path] if peer.start else [built(workload, peer.file)]
    env = environment(peer)
    if workload == "tls_echo":
        env["TLS_PEM"] = certificate()
    if workload == "sendfile":
        env["SENDFILE"] = file_to_send()
    return words, env


def environment(peer=None):
    lib = os.path.join(HERE, "lib")
    return {**os.environ, "PYTHONPATH": lib, **lua_paths(), **(peer.env if peer else {})}
