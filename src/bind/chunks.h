/* SPDX-License-Identifier: MIT
 *
 * aio's own Lua files, compiled, for the workers of the process: the first worker compiles them,
 * which takes most of the time of its start, the others load what it made. */
#ifndef AIO_BIND_CHUNKS_H
#define AIO_BIND_CHUNKS_H

#include "bind/compat.h"

/* In a new state that has aio.core and whose package.path is set: `require` finds aio's files among
 * the compiled ones. [may throw] */
void aio_chunks_open(lua_State *L);

#endif
