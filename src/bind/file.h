/* SPDX-License-Identifier: MIT
 *
 * The Lua face of an open file: a full userdata around an aio_file of floor 2. Its life is in
 * file.c, its methods in file_read.c and file_write.c. What has to wait makes an operation, owned
 * by a userdata that takes slot 2 of the stack, behind the file. */
#ifndef AIO_BIND_FILE_H
#define AIO_BIND_FILE_H

#include "bind/lloop.h"
#include "core/file.h"

typedef struct aio_file_ud {
  aio_file *f; /* NULL before it was opened and after the finalizer */
} aio_file_ud;

enum { AIO_FILE_UV_LOOP = 1, AIO_FILE_UV_PATH, AIO_FILE_UV_WHERE, AIO_FILE_UVS = 3 };
enum { AIO_FILE_SELF = 1, AIO_FILE_OP = 2 };

void aio_file_open_class(lua_State *L, aio_state *st);
extern const luaL_Reg aio_file_read_methods[], aio_file_write_methods[];

/* The open file at slot 1; raises when it is not one, or is closed. [may throw] */
aio_file *aio_file_self(lua_State *L);
/* The same; raises too when it was not opened for that: `call` is "read" or "write". [may throw] */
aio_file *aio_file_for(lua_State *L, const char *call);

/* Puts an operation for the file at slot 1 into slot 2 and starts it; `data` may be NULL.
 * [may throw] */
aio_file_op *aio_file_begin(lua_State *L, aio_task *t, enum aio_file_kind kind, int64_t arg,
                            size_t n, const char *data, size_t len);
/* Waits until the operation of slot 2 is done. [yields] */
int aio_file_wait(lua_State *L, aio_task *t, lua_KFunction k);
/* First call of a continuation: the operation, which is done; NULL: yield again. Raises a
 * cancellation, or what the system refused; then the operation is released. [may throw] */
aio_file_op *aio_file_resumed(lua_State *L, lua_KContext ctx);
/* Gives up the turn of slot 2. */
void aio_file_end(lua_State *L);
/* Pushes a file of what a call has opened for reading, which is the file's then. 0 or an error
 * code, then it is the call's still. [may throw] */
int aio_file_push_opened(lua_State *L, const aio_task *t, aio_fs *fs);
/* Raises an OSError about the file at slot 1. [throws] */
int aio_file_raise(lua_State *L, int err, const char *call);

#endif
