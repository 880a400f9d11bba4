/* SPDX-License-Identifier: MIT
 *
 * Addresses as Lua values: `{host=, port=}` (also `{host, port}`) with the host in digits, or the
 * path of a Unix socket; and look-ups of names (address.c). */
#ifndef AIO_BIND_ADDRESS_H
#define AIO_BIND_ADDRESS_H

#include "bind/state.h"
#include "core/address.h"

/* Reads the address at `idx`; 0 or a libuv error code. */
int aio_address_at(lua_State *L, int idx, aio_address *a);
/* Pushes an address. [may throw] */
void aio_address_push(lua_State *L, const aio_address *a);

/* Opens the look-up functions of the module table at the top. */
void aio_address_open(lua_State *L, aio_state *st);

#endif
