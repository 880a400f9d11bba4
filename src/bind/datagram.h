/* SPDX-License-Identifier: MIT
 *
 * The Lua face of a datagram endpoint, for aio.datagram (Lua). */
#ifndef AIO_BIND_DATAGRAM_H
#define AIO_BIND_DATAGRAM_H

#include "bind/state.h"
#include "core/datagram.h"

typedef struct aio_datagram_ud {
  aio_datagram *d; /* NULL before it was made and after the finalizer */
} aio_datagram_ud;

enum { AIO_DATAGRAM_UV_LOOP = 1, AIO_DATAGRAM_UV_WHERE, AIO_DATAGRAM_UVS = 2 };

/* The endpoint at `idx`. [may throw] */
aio_datagram_ud *aio_datagram_at(lua_State *L, const aio_state *st, int idx);
/* Reads where a packet shall go; nil is refused. [may throw] */
void aio_datagram_address_at(lua_State *L, int arg, aio_address *a);
/* Pushes what get_extra_info tells under `name`; false and nothing pushed: nothing. [may throw] */
bool aio_datagram_info(lua_State *L, const aio_datagram *d, const char *name);

/* Opens the class Datagram and the functions of the module table at the top. */
void aio_datagram_open_class(lua_State *L, aio_state *st);

#endif
