/* SPDX-License-Identifier: MIT
 *
 * How every read of a stream goes: a function that tries and, when what it wants is not there,
 * waits and is called again. For stream_read.c and for those who read more than bytes. */
#ifndef AIO_BIND_STREAM_READ_H
#define AIO_BIND_STREAM_READ_H

#include "bind/stream.h"

typedef struct aio_read_op {
  int (*try)(lua_State *L, aio_stream_ud *u);
  lua_KFunction k; /* calls aio_read_resume */
} aio_read_op;

/* Begins an operation on the stream at slot 1: the first try, after a turn for the others when it
 * is time for that. [may throw, may yield] */
int aio_read_start(lua_State *L, aio_stream_ud *u, const aio_read_op *op);
int aio_read_resume(lua_State *L, lua_KContext ctx, const aio_read_op *op);
/* Waits until `need` bytes are there, or `byte` (-1: none) has come, and tries again. [may yield]
 */
int aio_read_wait(lua_State *L, aio_stream_ud *u, size_t need, int byte, const aio_read_op *op);
/* The end, as a result: nil, or the error that it was. [may throw] */
int aio_read_end(lua_State *L, const aio_stream *s);

#endif
