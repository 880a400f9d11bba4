/* SPDX-License-Identifier: MIT
 *
 * The C part of a server: a userdata around an aio_listener of floor 2 (listener.c). The class
 * Server is in aio.server (Lua). */
#ifndef AIO_BIND_LISTENER_H
#define AIO_BIND_LISTENER_H

#include "bind/state.h"

/* Opens core._listener. */
void aio_listener_open_class(lua_State *L, aio_state *st);

#endif
