/* SPDX-License-Identifier: MIT
 *
 * The Lua files of aio as part of the library, for hosts and for programs in one file. The table is
 * written by the build (tools/cmake/embed.cmake) and is in the static library only. */
#ifndef AIO_BIND_BUILTIN_H
#define AIO_BIND_BUILTIN_H

#include <lua.h>
#include <stddef.h>

struct aio_builtin {
  const char *name;   /* as in `require` */
  const char *source; /* text, followed by a zero byte that is not part of it */
  size_t size;
};

/* Ends with an entry whose name is NULL. */
extern const struct aio_builtin aio_builtins[];

/* Opens aio: fills package.preload, where what is there already stays, then returns
 * `require "aio"`. [may throw] */
int luaopen_aio(lua_State *L);

#endif
