/* SPDX-License-Identifier: MIT
 *
 * luaopen_aio_tls: the library aio/tls.so. It takes the functions of floor 2 from aio.core, and
 * refuses a core that it was not built for. Loaded by lua/aio/ssl.lua when TLS is first used. */
#include "tls/tls.h"

static const aio_api *find_api(lua_State *L) {
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
    luaL_error(L, "aio/tls.so and aio/core.so are of different versions; install both anew");
  return api;
}

TLS_EXPORT int luaopen_aio_tls(lua_State *L) {
  luaL_checkversion(L);
  const aio_api *api = find_api(L);
  tls_context_open(L);
  lua_newtable(L);
  tls_connection_open(L);
  static const luaL_Reg fns[] = {{"_context", tls_context_new},
                                 {"_facts", tls_context_ask},
                                 {"_digest", tls_digest},
                                 {NULL, NULL}};
  luaL_setfuncs(L, fns, 0);
  lua_pushlightuserdata(L, (void *)(uintptr_t)api);
  lua_pushcclosure(L, tls_connection_new, 1);
  lua_setfield(L, -2, "_connection");
  return 1;
}
