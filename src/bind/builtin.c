/* SPDX-License-Identifier: MIT
 *
 * Loads aio from memory. Called by hosts that link the static library: `luaopen_aio` is all that
 * they need. Invariant: nothing is kept here, so any number of Lua states can use it at once. */
#include "bind/builtin.h"

#include <lauxlib.h>

#include "bind/state.h"

int luaopen_aio_core(lua_State *L);

/* Loader of one built-in file; upvalue 1 is its entry. */
static int builtin_load(lua_State *L) {
  const struct aio_builtin *b = lua_touserdata(L, lua_upvalueindex(1));
  const char *chunk = lua_pushfstring(L, "@builtin/aio/%s", b->name);
  if (luaL_loadbufferx(L, b->source, b->size, chunk, "t") != LUA_OK) return lua_error(L);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

/* Pops a loader and puts it into the table below it, unless the name is taken. */
static void preload_add(lua_State *L, const char *name) {
  if (lua_getfield(L, -2, name) == LUA_TNIL) {
    lua_pushvalue(L, -2);
    lua_setfield(L, -4, name);
  }
  lua_pop(L, 2);
}

/* Makes `require` find the C module and every built-in file without a file system. */
static void preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_aio_core);
  preload_add(L, "aio.core");
  for (const struct aio_builtin *b = aio_builtins; b->name; b++) {
    lua_pushlightuserdata(L, (void *)b);
    lua_pushcclosure(L, builtin_load, 1);
    preload_add(L, b->name);
  }
  lua_pop(L, 1);
}

int luaopen_aio(lua_State *L) {
  preload(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "aio");
  lua_call(L, 1, 1);
  aio_state_of(L)->preload = preload; /* for workers */
  return 1;
}
