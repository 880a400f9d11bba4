/* SPDX-License-Identifier: MIT
 *
 * All differences between the Lua versions that aio knows, and the checks that it runs on one of
 * them: 5.4.4 or later, with 64-bit numbers. */
#ifndef AIO_BIND_COMPAT_H
#define AIO_BIND_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#include "bind/argument.h"

#if LUA_VERSION_NUM < 504 || (LUA_VERSION_NUM == 504 && LUA_VERSION_RELEASE_NUM < 50404)
#error "aio needs Lua 5.4.4 or later"
#endif

_Static_assert(sizeof(lua_Integer) == 8 && sizeof(lua_Number) == 8, "aio needs 64-bit numbers");

/* Closes what a thread left open and makes it reusable; its status. */
static inline int aio_thread_reset(lua_State *co, lua_State *from) {
#if LUA_VERSION_RELEASE_NUM >= 50406
  return lua_closethread(co, from);
#else
  (void)from;
  return lua_resetthread(co);
#endif
}

#endif
