/* SPDX-License-Identifier: MIT
 *
 * The floor under any event loop for Lua 5.4 in C: lua_newthread, an anchor and lua_resume for
 * each task; no loop, no futures. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "lib/floor.h"

enum { FN = 1, ANCHORS = 2, BATCH = 10000 };
static lua_State *co[BATCH];

static void spawn(lua_State *L, long first) {
  for (long i = 0; i < BATCH; i++) {
    co[i] = lua_newthread(L);
    lua_rawseti(L, ANCHORS, i + 1);
    lua_pushvalue(L, FN);
    lua_xmove(L, co[i], 1);
    lua_pushinteger(co[i], first + i);
  }
}

static lua_Integer finish(lua_State *L) {
  lua_Integer total = 0;
  for (long i = 0; i < BATCH; i++) {
    int nres;
    if (lua_resume(co[i], L, 1, &nres) != LUA_OK) abort();
    total += lua_tointeger(co[i], -1);
    lua_pushnil(L);
    lua_rawseti(L, ANCHORS, i + 1);
  }
  return total;
}

int main(int argc, char **argv) {
  long n = argc > 1 ? atol(argv[1]) : 1000000;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_dostring(L, "return function(i) return i end")) abort();
  lua_createtable(L, BATCH, 0);
  double t = now();
  lua_Integer total = 0;
  for (long first = 0; first < n; first += BATCH) {
    spawn(L, first);
    total += finish(L);
  }
  report(n, now() - t);
  return total != (lua_Integer)n * (n - 1) / 2;
}
