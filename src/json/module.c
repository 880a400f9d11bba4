/* SPDX-License-Identifier: MIT
 *
 * luaopen_aio_jansson: the library aio/jansson.so, loaded by lua/aio/json.lua when JSON is first
 * used. What stands for null and what marks arrays are modules, so that they cross to other
 * threads by their names. */
#include "json/json.h"

static void require(lua_State *L, const char *name) {
  lua_getglobal(L, "require");
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
}

AIO_EXPORT int luaopen_aio_jansson(lua_State *L) {
  static const luaL_Reg fns[] = {{"decode", json_decode}, {"encode", json_encode}, {NULL, NULL}};
  luaL_checkversion(L);
  luaL_newlibtable(L, fns);
  require(L, "aio.json.null");
  require(L, "aio.json.array");
  luaL_setfuncs(L, fns, 2);
  return 1;
}
