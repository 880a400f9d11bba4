/* SPDX-License-Identifier: MIT
 *
 * aio/zlib.so: compressing and decompressing in steps, by zlib. A library of its own, so that
 * nothing else needs zlib; it knows the headers of floor 0 and Lua, and waits for nothing. Used by
 * the content codings of HTTP and by WebSocket.
 *
 * A codec is a userdata around a z_stream whose memory comes from the Lua state's allocator.
 * Invariant: while it works it counts as broken, so that an error of memory in the middle, or a
 * finalizer that calls it again, never goes on with a stream that has lost bytes. */
#ifndef AIO_ZLIB_CODEC_H
#define AIO_ZLIB_CODEC_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/export.h"
#include "base/mem.h"

AIO_EXPORT int luaopen_aio_zlib(lua_State *L);

enum { CODEC_BITS_MIN = 8, CODEC_BITS_MAX = 15 };

/* What stands around the compressed data. */
enum codec_format {
  CODEC_RAW,
  CODEC_ZLIB,
  CODEC_GZIP,
  CODEC_AUTO,   /* reading: gzip or zlib, by the first byte */
  CODEC_DEFLATE /* reading: zlib or raw, by the first byte: servers send both by that name */
};

/* The input: the string in the user value, and then perhaps four bytes more. */
typedef struct codec_input {
  const char *at;
  size_t left;
  bool tail; /* what ends a message of permessage-deflate comes after it */
} codec_input;

enum { CODEC_UV_INPUT = 1, CODEC_UVS = 1 };

/* ---- module.c ---- */

/* Gives the stream the allocator of the state, by way of `mem`, which must stay where it is. */
void codec_set_memory(lua_State *L, z_stream *z, aio_mem *mem);
/* The window bits of argument `idx`, from `least` on; `unset` when it is nil. [may throw] */
int codec_check_bits(lua_State *L, int idx, int least);
/* Hands the next bytes of input to the stream when it has none. */
void codec_refill(z_stream *z, codec_input *in);
/* Room for more output in the buffer: at most `most` bytes, which is not 0. [may throw] */
void codec_room(luaL_Buffer *b, z_stream *z, size_t done, size_t most);

/* ---- inflate.c, deflate.c: each opens its class and adds its function to the table at the top */

void codec_inflate_open(lua_State *L);
void codec_deflate_open(lua_State *L);

#endif
