/* SPDX-License-Identifier: MIT
 *
 * The opening functions of the parts that have no header of their own, and what is exported. */
#ifndef AIO_BIND_MODULE_H
#define AIO_BIND_MODULE_H

#include "base/export.h"
#include "bind/state.h"

AIO_EXPORT int luaopen_aio_core(lua_State *L);

void aio_clock_open(lua_State *L, aio_state *st);
void aio_sleep_open(lua_State *L, aio_state *st);
void aio_event_open(lua_State *L, aio_state *st);
void aio_semaphore_open(lua_State *L, aio_state *st);
void aio_protect_open(lua_State *L, aio_state *st);
/* For message handlers: when the function at that level of the stack is aio.catch, which lets the
 * plain value at `err` pass, pushes where that was raised. [may throw] */
bool aio_protect_passed(lua_State *L, const aio_state *st, int err, int level);
void aio_random_open(lua_State *L, aio_state *st);

#endif
