/* SPDX-License-Identifier: MIT
 *
 * Waiting for many futures at once, in C because spawning thousands of tasks ends here: one block
 * of nodes for all children instead of a callback each. */
#ifndef AIO_BIND_GATHER_H
#define AIO_BIND_GATHER_H

#include "bind/task.h"

void aio_gather_open(lua_State *L, aio_state *st);

/* Does this task wait in a gather? */
bool aio_gather_waits(const aio_task *t);
/* Is the request under way (state.h) being passed on through that gather? */
bool aio_gather_passing(const aio_state *st, const aio_task *t);
/* Asks all children of the gather that `t` waits in to cancel; false when all have ended.
 * [may throw; called again, it asks the rest] */
bool aio_gather_cancel(lua_State *L, aio_state *st, aio_task *t, int msg);

#endif
