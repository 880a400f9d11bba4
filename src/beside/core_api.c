/* SPDX-License-Identifier: MIT
 *
 * Asks aio.core for its struct of functions, once when a library beside it is opened, and compares
 * what both were compiled with: a library never works on structures of another layout. */
#include "beside/core_api.h"

#include <lauxlib.h>

const aio_api *aio_core_api(lua_State *L, const char *file) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "aio.core");
  lua_call(L, 1, 1);
  const aio_api *api = NULL;
  if (lua_getfield(L, -1, "_api") == LUA_TFUNCTION) {
    lua_call(L, 0, 1);
    api = lua_touserdata(L, -1);
  }
  lua_pop(L, 2);
  if (!api || api->version != AIO_API_VERSION || api->stream_size != sizeof(aio_stream) ||
      api->loop_size != sizeof(aio_loop))
    luaL_error(L, "%s and aio/core.so are of different versions; install both anew", file);
  return api;
}
