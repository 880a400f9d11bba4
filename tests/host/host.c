/* SPDX-License-Identifier: MIT
 *
 * Runs one case of the host interface: `aio-host NAME`; without a name it lists them. Called by
 * tests/test_host.lua, each case in a process of its own. */
#include "host.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000, CASE_S = 240 };

static void *allocate(void *ud, void *ptr, size_t old, size_t size) {
  memory *m = ud;
  if (!ptr) old = 0;
  if (size == 0) {
    if (ptr) m->blocks--;
    m->bytes -= old;
    free(ptr);
    return NULL;
  }
  if (size > old) {
    m->requests++;
    if (m->first && m->requests >= m->first && m->requests <= m->last) return NULL;
  }
  void *block = realloc(ptr, size);
  if (!block) return NULL;
  if (!ptr) m->blocks++;
  m->bytes += size - old;
  return block;
}

lua_State *host_plain(memory *m) {
  memset(m, 0, sizeof *m);
  lua_State *L = lua_newstate(allocate, m);
  CHECK(L);
  luaL_openlibs(L);
  return L;
}

lua_State *host_new(memory *m, const aio_host_options *options) {
  lua_State *L = host_plain(m);
  if (aio_host_open(L, options) != AIO_HOST_OK) {
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
    abort();
  }
  lua_setglobal(L, "aio");
  CHECK(lua_gettop(L) == 0);
  return L;
}

void host_free(lua_State *L, const memory *m) {
  lua_close(L);
  CHECK(m->bytes == 0);
  CHECK(m->blocks == 0);
}

void host_do(lua_State *L, const char *chunk) {
  if (luaL_dostring(L, chunk) == LUA_OK) {
    lua_settop(L, 0);
    return;
  }
  fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  abort();
}

void host_spawn(lua_State *L, const char *name) {
  lua_getglobal(L, name);
  CHECK(aio_host_spawn(L, 0) == AIO_HOST_OK);
  lua_pop(L, 1);
}

bool host_bool(lua_State *L, const char *name) {
  lua_getglobal(L, name);
  bool yes = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return yes;
}

lua_Integer host_int(lua_State *L, const char *name) {
  lua_getglobal(L, name);
  lua_Integer n = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return n;
}

const char *host_string(lua_State *L, const char *name) {
  lua_getglobal(L, name);
  const char *s = lua_tostring(L, -1);
  lua_pop(L, 1);
  return s ? s : "";
}

void host_until(lua_State *L, const char *name) {
  for (;;) {
    int status = aio_host_step(L, -1);
    CHECK(status >= 0);
    if (host_bool(L, name)) return;
    double when = aio_host_deadline(L), now = aio_host_time(L);
    struct pollfd p = {.fd = aio_host_fileno(L), .events = POLLIN};
    int ms = when < 0 ? -1 : when > now ? (int)((when - now) * 1e3) + 1 : 0;
    CHECK(poll(&p, 1, ms) >= 0 || errno == EINTR);
  }
}

/* ---- the clock: the program's own clock_gettime comes before libc's for libuv too ---- */

static struct timespec frozen;

/* Declared here: libc's header gives it attributes that a definition must not have. */
int clock_gettime(clockid_t id, struct timespec *t);
int clock_gettime(clockid_t id, struct timespec *t) {
  if (!frozen.tv_sec || (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE))
    return (int)syscall(SYS_clock_gettime, id, t);
  *t = frozen;
  return 0;
}

void host_freeze(void) {
  CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &frozen) == 0);
}

void host_pass(double seconds) {
  long long ns = frozen.tv_nsec + (long long)(seconds * 1e9 + 0.5);
  frozen.tv_sec += ns / NS_PER_S;
  frozen.tv_nsec = ns % NS_PER_S;
}

static const host_case *const all[] = {step_cases, remote_cases, promise_cases, close_cases,
                                       several_cases};

int main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    for (const host_case *c = all[i]; c->name; c++) {
      if (argc < 2) {
        puts(c->name);
      } else if (strcmp(c->name, argv[1]) == 0) {
        alarm(CASE_S); /* one that hangs is ended by the signal */
        c->run();
        puts("ok");
        return 0;
      }
    }
  return argc < 2 ? 0 : 2;
}
