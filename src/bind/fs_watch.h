/* SPDX-License-Identifier: MIT
 *
 * aio.fs.watch: the Lua face of an aio_fswatch, which is called for each event. */
#ifndef AIO_BIND_FS_WATCH_H
#define AIO_BIND_FS_WATCH_H

#include "bind/state.h"

/* Opens the class FsWatch and the functions of the module table at the top. */
void aio_fs_watch_open(lua_State *L, aio_state *st);

#endif
