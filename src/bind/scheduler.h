/* SPDX-License-Identifier: MIT
 *
 * The turn of the loop. The one place that chooses what runs next. */
#ifndef AIO_BIND_SCHEDULER_H
#define AIO_BIND_SCHEDULER_H

#include "bind/lloop.h"

/* Makes room on the Lua stack for a turn; false when memory is out. Before a run or step. */
bool aio_scheduler_room(lua_State *L);

/* Turns the loop until it is stopped, or a fatal error is kept. `main` (may be NULL): the future
 * that the caller waits for, so that a deadlock can be told. Never throws. */
void aio_scheduler_run(lua_State *L, aio_lloop *l, aio_future *main);

/* One step of a host: asks the kernel once, runs ready work within `budget` seconds (< 0: until
 * nothing is ready; 0: one node). True while work is ready. Never throws, never blocks. */
bool aio_scheduler_step(lua_State *L, aio_lloop *l, double budget);

/* When the loop wants a step at the latest (its own clock): now while work is ready, the earliest
 * timer or time-out of libuv; < 0 when nothing is planned. */
double aio_scheduler_deadline(aio_lloop *l);

/* Calls the Lua function kept as hook `name` with the loop. An error in it is dropped, unless it is
 * to end the run. True when it returned. Never throws. */
bool aio_scheduler_hook(lua_State *L, aio_lloop *l, const char *name);

#endif
