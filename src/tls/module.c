/* SPDX-License-Identifier: MIT
 *
 * luaopen_aio_tls: the library aio/tls.so. Loaded by lua/aio/ssl.lua when TLS is first used. */
#include "tls/tls.h"

AIO_EXPORT int luaopen_aio_tls(lua_State *L) {
  luaL_checkversion(L);
  const aio_api *api = aio_core_api(L, "aio/tls.so");
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
