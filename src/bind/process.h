/* SPDX-License-Identifier: MIT
 *
 * The Lua face of a child process, see process.c. */
#ifndef AIO_BIND_PROCESS_H
#define AIO_BIND_PROCESS_H

#include "bind/lloop.h"

/* Opens the class Process and the functions of the module table at the top. */
void aio_process_open_class(lua_State *L, aio_state *st);
void aio_pipe_ends_open(lua_State *L, aio_state *st); /* pipe_ends.c */

#endif
