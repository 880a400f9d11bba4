/* SPDX-License-Identifier: MIT
 *
 * What streams over Unix sockets can do beside carrying bytes (local.c). */
#ifndef AIO_BIND_LOCAL_H
#define AIO_BIND_LOCAL_H

#include "bind/stream.h"

extern const luaL_Reg aio_stream_local_methods[];
void aio_local_open_functions(lua_State *L, aio_state *st);

/* Pushes {pid=, uid=, gid=} of who opened the other end; false: nothing, it is no Unix socket. */
bool aio_local_push_peercred(lua_State *L, const aio_stream *s);

#endif
