/* SPDX-License-Identifier: MIT
 *
 * The Lua face of a datagram endpoint, for aio.datagram (Lua). */
#ifndef AIO_BIND_DATAGRAM_H
#define AIO_BIND_DATAGRAM_H

#include "bind/state.h"

/* Opens the class Datagram and the functions of the module table at the top. */
void aio_datagram_open_class(lua_State *L, aio_state *st);

#endif
