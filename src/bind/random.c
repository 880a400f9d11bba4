/* SPDX-License-Identifier: MIT
 *
 * Random bytes from the system, for those who need what nobody can guess: mask keys, boundaries,
 * nonces. Called by lua/aio/http. */
#include "bind/error.h"
#include "bind/lloop.h"
#include "bind/module.h"

enum { MOST = 65536 }; /* bytes at once */

/* core._random(n): `n` bytes, by the system's source, which never keeps one waiting. */
static int random_bytes(lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1);
  luaL_argcheck(L, n >= 0 && n <= MOST, 1, "0 to 65536 bytes expected");
  luaL_Buffer b;
  char *to = luaL_buffinitsize(L, &b, (size_t)n);
  int err = n ? uv_random(NULL, NULL, to, (size_t)n, 0, NULL) : 0;
  if (err) {
    aio_error_push_os(L, aio_state_up(L), err, "random");
    return lua_error(L);
  }
  luaL_pushresultsize(&b, (size_t)n);
  return 1;
}

void aio_random_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_random", random_bytes}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
