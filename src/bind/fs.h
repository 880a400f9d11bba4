/* SPDX-License-Identifier: MIT
 *
 * aio.fs: what its calls and the files share. */
#ifndef AIO_BIND_FS_H
#define AIO_BIND_FS_H

#include "bind/state.h"
#include "core/fs.h"

/* Sets the table _fs, the calls, in the module table at the top. */
void aio_fs_open_functions(lua_State *L, aio_state *st);

/* The path at `arg`: a string without zero bytes. [may throw] */
const char *aio_fs_path_at(lua_State *L, int arg);
/* The permissions at `arg`: an integer, or a string of octal digits; `unset` when nil. [may throw]
 */
int aio_fs_mode_at(lua_State *L, int arg, int unset);
/* Raises an OSError that names the path (NULL: none) and what can be done; `creates`: the call was
 * to make the file. [throws] */
int aio_fs_raise(lua_State *L, int err, const char *call, const char *path, bool creates);
/* Pushes the table of a stat. [may throw] */
void aio_fs_push_stat(lua_State *L, const uv_stat_t *s);

#endif
