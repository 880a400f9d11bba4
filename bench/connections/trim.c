/* SPDX-License-Identifier: MIT
 *
 * The Lua module `trim`: a function that gives free memory back to the system, so that resident
 * memory shows what a program holds and not what the C library keeps for later. */
#include <malloc.h>

#include <lauxlib.h>

static int trim(lua_State *L) {
  lua_pushboolean(L, malloc_trim(0));
  return 1;
}

int luaopen_trim(lua_State *L) {
  lua_pushcfunction(L, trim);
  return 1;
}
