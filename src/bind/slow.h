/* SPDX-License-Identifier: MIT
 *
 * In debug mode: what runs while a task step or a callback takes too long. */
#ifndef AIO_BIND_SLOW_H
#define AIO_BIND_SLOW_H

#include "bind/state.h"

/* Opens the functions in the module table at the top. */
void aio_slow_open(lua_State *L, aio_state *st);

/* From now until aio_slow_end, a watched thread that runs longer than `limit` seconds leaves a
 * traceback. */
void aio_slow_begin(aio_state *st, double limit);
void aio_slow_end(aio_state *st);
/* Watches a thread, unless it has a hook of somebody else; no longer. Cannot fail. */
void aio_slow_watch(lua_State *co);
void aio_slow_unwatch(lua_State *co);

#endif
