/* SPDX-License-Identifier: MIT
 *
 * Loops of other threads: how a loop crosses, and calls into it. */
#ifndef AIO_BIND_REMOTE_H
#define AIO_BIND_REMOTE_H

#include "bind/state.h"
#include "core/port.h"

/* Is the value at `idx` a loop, or the handle of one? */
bool aio_loop_is(lua_State *L, const aio_state *st, int idx);
/* Its port with one reference, or NULL when memory is out. Raises when it is closed. [may throw] */
aio_port *aio_loop_port(lua_State *L, aio_state *st, int idx);
/* aio_port_release, for blobs. */
void aio_loop_port_drop(void *port);
/* Pushes a handle of the loop behind the port. [may throw] */
void aio_loop_handle_push(lua_State *L, const aio_state *st, aio_port *port);

void aio_remote_loops_open(lua_State *L, aio_state *st);

#endif
