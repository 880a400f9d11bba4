# SPDX-License-Identifier: MIT
# What tools/quickstart and tools/test share: what a machine needs, and how to build. Sourced; the
# caller has set `-euo pipefail` and stands in the checkout.

# A need: how to see that it is there, then the Debian package that brings it.
build_needs=(
  "command -v cc                     | gcc"
  "has_header stdio.h                | libc6-dev"
  "command -v cmake                  | cmake"
  "command -v ninja || command -v make | make"
  "command -v pkg-config             | pkg-config"
  "command -v lua5.4                 | lua5.4"
  "pkg-config --exists lua5.4 || has_header lua5.4/lua.h | liblua5.4-dev"
  "has_header uv.h                   | libuv1-dev"
  "has_header openssl/ssl.h          | libssl-dev"
  "test -e /usr/share/llhttp/llhttp.c || has_header llhttp.h | node-llhttp"
  "has_header zlib.h                 | zlib1g-dev"
  "has_header jansson.h              | libjansson-dev"
  "has_header brotli/encode.h        | libbrotli-dev"
  "has_header zstd.h                 | libzstd-dev"
)
test_needs=(
  "lua5.4 -e 'require [[luaunit]]'   | lua-unit"
  "command -v luarocks               | luarocks"
  "command -v openssl                | openssl"
  "command -v strace                 | strace"
  "command -v python3                | python3"
  "/usr/bin/python3 -c 'import h11'  | python3-h11"
  "command -v node                   | nodejs"
  "command -v socat                  | socat"
  "command -v curl                   | curl"
  "has_header ares.h                 | libc-ares-dev"
  "/usr/bin/python3 -c 'import websockets' | python3-websockets"
  "/usr/bin/python3 -c 'import wsproto' | python3-wsproto"
  "/usr/bin/python3 -c 'import aiohttp' | python3-aiohttp"
  "test -e /usr/share/nodejs/ws      | node-ws"
)
all_needs=(
  "command -v valgrind               | valgrind"
  "test -e /usr/lib/debug/.build-id || test ! -e /etc/debian_version | libc6-dbg"
  "command -v clang-format           | clang-format"
  "command -v luacheck               | lua-check"
  "command -v cppcheck               | cppcheck"
  "command -v chromium               | chromium"
  "command -v x86_64-w64-mingw32-gcc | gcc-mingw-w64-x86-64-win32"
)
fuzz_needs=(
  "command -v clang                  | clang"
  "has_fuzzer                        | libclang-rt-dev"
)

say() { printf '%s\n' "$*"; }

has_header() {
  local flags
  flags=$(pkg-config --cflags libuv 2>/dev/null) || flags=
  # shellcheck disable=SC2086  # several flags
  printf '#include <%s>\n' "$1" | cc $flags -E -o /dev/null - 2>/dev/null
}

# Has clang the runtime of libFuzzer and the sanitizers?
has_fuzzer() {
  local library
  library=$(clang -fsanitize=fuzzer -### -x c /dev/null 2>&1 | grep -o '"[^" ]*libclang_rt.fuzzer-[^"]*\.a"')
  [ -e "$(printf %s "$library" | tr -d '"')" ]
}

# The packages of those needs that are not met, one per line.
missing_packages() {
  local need
  for need in "$@"; do
    eval "${need%|*}" >/dev/null 2>&1 || printf '%s\n' "${need##*| }"
  done
}

# Sees to it that the needs are met; installs on Debian and its relatives, else says what is missing.
ensure() {
  local packages command
  packages=$(missing_packages "$@" | tr '\n' ' ')
  packages=${packages% }
  [ -n "$packages" ] || return 0
  say "Missing (names of Debian packages): $packages"
  command="apt-get install -y --no-install-recommends $packages"
  if ! command -v apt-get >/dev/null; then
    say "Install these with your system's package manager, then run this again."
    return 1
  elif [ "$(id -u)" -ne 0 ]; then
    command="sudo $command"
    say "Run: $command"
    command -v sudo >/dev/null || { say "(there is no sudo here: run it as root)"; return 1; }
  else
    say "Run: $command"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
  # shellcheck disable=SC2086  # several packages
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $packages
  packages=$(missing_packages "$@" | tr '\n' ' ')
  [ -z "$packages" ] || { say "Still missing: $packages"; return 1; }
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# build DIR [cmake options...]: configures and builds, quietly unless it fails.
build() {
  local dir=$1 log=$1/build.log generator=()
  shift
  mkdir -p "$dir"
  [ -e "$dir/CMakeCache.txt" ] || ! command -v ninja >/dev/null || generator=(-G Ninja)
  if ! { cmake -S . -B "$dir" "${generator[@]}" -DAIO_WERROR=ON "$@" &&
    cmake --build "$dir" --parallel 2; } >"$log" 2>&1; then
    cat "$log"
    say "The build in $dir failed."
    return 1
  fi
}
