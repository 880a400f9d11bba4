/* SPDX-License-Identifier: MIT
 *
 * The floor under any event loop for Lua 5.4 in C: TASKS threads that call a C function which
 * yields, resumed by lua_resume in a ring; no loop at all. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "lib/floor.h"

static int give_way(lua_State *L) {
  return lua_yield(L, 0);
}

static const char body[] = "local give_way = give_way\n"
                           "return function(n) for _ = 1, n do give_way() end end";

int main(int argc, char **argv) {
  long tasks = argc > 1 ? atol(argv[1]) : 2, yields = argc > 2 ? atol(argv[2]) : 1000000;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  lua_register(L, "give_way", give_way);
  if (luaL_dostring(L, body)) abort();
  lua_State **ring = malloc((size_t)tasks * sizeof *ring);
  for (long i = 0; i < tasks; i++) {
    ring[i] = lua_newthread(L);
    luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, 1);
    lua_xmove(L, ring[i], 1);
    lua_pushinteger(ring[i], yields);
  }
  double t = now();
  long live = tasks;
  for (int first = 1; live; first = 0)
    for (long i = 0; i < tasks; i++) {
      int nres, st = lua_resume(ring[i], L, first, &nres);
      if (st == LUA_OK)
        live--;
      else if (st != LUA_YIELD)
        abort();
    }
  report(tasks * yields, now() - t);
  return 0;
}
