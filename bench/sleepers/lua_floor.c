/* SPDX-License-Identifier: MIT
 *
 * The floor for memory: N Lua 5.4 threads suspended inside one C call, with a deadline each in a
 * binary heap of C, woken one after another after SECS. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <unistd.h>

#include "lib/floor.h"

struct sleeper {
  double at;
  lua_State *co;
};
static struct sleeper *heap;
static long size;

static int sleep_for(lua_State *L) {
  long i = size++;
  double at = now() + luaL_checknumber(L, 1);
  for (; i && heap[(i - 1) / 2].at > at; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
  heap[i] = (struct sleeper){at, L};
  return lua_yield(L, 0);
}

static lua_State *pop(void) {
  struct sleeper top = heap[0], last = heap[--size];
  long i = 0, kid;
  while ((kid = 2 * i + 1) < size) {
    if (kid + 1 < size && heap[kid + 1].at < heap[kid].at) kid++;
    if (heap[kid].at >= last.at) break;
    heap[i] = heap[kid];
    i = kid;
  }
  heap[i] = last;
  return top.co;
}

static void arm(lua_State *L, long n, long secs) {
  int nres;
  for (long i = 0; i < n; i++) {
    lua_State *co = lua_newthread(L);
    luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushinteger(co, secs);
    if (lua_resume(co, L, 1, &nres) != LUA_YIELD) abort();
  }
}

static void wake(lua_State *L) {
  int nres;
  while (size) {
    double wait = heap[0].at - now();
    if (wait > 0) usleep((useconds_t)(wait * 1e6) + 1);
    if (lua_resume(pop(), L, 0, &nres) != LUA_OK) abort();
  }
}

int main(int argc, char **argv) {
  long n = argc > 1 ? atol(argv[1]) : 100000, secs = argc > 2 ? atol(argv[2]) : 5;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  lua_register(L, "sleep", sleep_for);
  if (luaL_dostring(L, "local sleep = sleep return function(s) sleep(s) end")) abort();
  long base = status_kb("VmRSS");
  double t = now();
  heap = malloc((size_t)n * sizeof *heap);
  arm(L, n, secs);
  wake(L);
  long peak = status_kb("VmHWM");
  printf("{\"ops\": %ld, \"seconds\": %f, \"rss_kb\": %ld, \"bytes_per_task\": %ld}\n", n,
         now() - t - (double)secs, peak, (peak - base) * 1024 / n);
  return 0;
}
