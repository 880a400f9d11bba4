/* SPDX-License-Identifier: MIT
 *
 * Buffers: bytes of a fixed number that can be changed in place, for protocols that bring their own
 * place to receive into. Invariant: `len` bytes at `bytes` belong to the object as long as it
 * lives. */
#ifndef AIO_BIND_BUFFER_H
#define AIO_BIND_BUFFER_H

#include "bind/state.h"

typedef struct aio_buffer_place {
  char *ptr;
  size_t len;
} aio_buffer_place;

/* Opens the class in the module table at the top. */
void aio_buffer_open(lua_State *L, aio_state *st);
/* The place that the values at `idx` (a buffer), `idx` + 1 (the first byte, or nil) and `idx` + 2
 * (the last, or nil) mean; raises when it is none, or empty. [may throw] */
aio_buffer_place aio_buffer_place_at(lua_State *L, const aio_state *st, int idx);
/* The same for the arguments `arg` to `arg` + 2 of a function that Lua calls. [may throw] */
aio_buffer_place aio_buffer_place_arg(lua_State *L, const aio_state *st, int arg);

#endif
