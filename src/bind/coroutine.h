/* SPDX-License-Identifier: MIT
 *
 * aio.coroutine: coroutines inside a task whose waits pass through to the task. */
#ifndef AIO_BIND_COROUTINE_H
#define AIO_BIND_COROUTINE_H

#include "bind/state.h"

/* Sets the table `coroutine` into the module table at the top. [may throw] */
void aio_coroutine_open(lua_State *L, aio_state *st);

#endif
