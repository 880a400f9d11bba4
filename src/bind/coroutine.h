/* SPDX-License-Identifier: MIT
 *
 * aio.coroutine: coroutines inside a task whose waits pass through to the task. */
#ifndef AIO_BIND_COROUTINE_H
#define AIO_BIND_COROUTINE_H

#include "bind/state.h"

/* Raises the error at the top, of the thread `co`, as the function that coroutine.wrap returns
 * does: with the position in front of a string, after closing what `co` left open. [throws] */
int aio_wrap_raise(lua_State *L, lua_State *co);
/* Sets the table `coroutine` into the module table at the top. [may throw] */
void aio_coroutine_open(lua_State *L, aio_state *st);

#endif
