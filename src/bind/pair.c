/* SPDX-License-Identifier: MIT
 *
 * core._stream_pair: two connected streams in memory, for aio.testing. Invariant: both Lua objects
 * exist before the streams are connected. */
#include "core/pair.h"

#include "bind/stream.h"

enum { LIMIT = 1, CAPACITY, CHUNK, SEED, RESET_AFTER };

static size_t number(lua_State *L, int idx) {
  return (size_t)luaL_checkinteger(L, idx);
}

/* core._stream_pair(limit, capacity, chunk, seed, reset_after): two streams. */
static int stream_pair(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_here(L, st);
  aio_pair_opts opts = {.capacity = number(L, CAPACITY),
                        .chunk = number(L, CHUNK),
                        .seed = number(L, SEED),
                        .reset_after = number(L, RESET_AFTER)};
  size_t limit = number(L, LIMIT);
  aio_stream_ud *a = aio_stream_push(L, st, l), *b = aio_stream_push(L, st, l);
  a->s = aio_stream_new(l->core, limit);
  b->s = aio_stream_new(l->core, limit);
  if (!a->s || !b->s || aio_pair_open(a->s, b->s, &opts)) return luaL_error(L, "not enough memory");
  return 2;
}

void aio_pair_open_functions(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_stream_pair", stream_pair}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
