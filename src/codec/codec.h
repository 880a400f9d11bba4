/* SPDX-License-Identifier: MIT
 *
 * What the libraries for compression that are no zlib have in common: the Lua face of a decoder and
 * of an encoder, over a few functions of the library. It is compiled into each of them
 * (aio/brotli.so, aio/zstd.so); of aio it knows how an opener is exported.
 *
 * Invariant: while a codec works it counts as broken, so that an error of memory in the middle
 * never goes on with a stream that has lost bytes. */
#ifndef AIO_CODEC_CODEC_H
#define AIO_CODEC_CODEC_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/export.h"

/* Input that is left, and room for output that is left: a step takes from both. */
typedef struct codec_io {
  const char *in;
  size_t in_len;
  char *out;
  size_t out_len;
} codec_io;

/* How a piece that is written ends. */
enum codec_end { CODEC_GO_ON, CODEC_FLUSH, CODEC_FINISH };

enum codec_result {
  CODEC_INPUT,    /* wants more input, has no more output */
  CODEC_OUTPUT,   /* wants more room */
  CODEC_ENDED,    /* the stream, or the frame, has ended */
  CODEC_MALFORMED /* the text is in the static memory `why` */
};

/* One direction of a library. */
typedef struct codec_class {
  const char *name;         /* of the Lua class */
  int least, most, unset;   /* levels, for an encoder */
  bool again;               /* another frame may follow one that has ended */
  void *(*open)(int level); /* NULL: memory is out */
  void (*close)(void *state);
  enum codec_result (*step)(void *state, codec_io *io, enum codec_end end, const char **why);
} codec_class;

/* Opens the classes; the table at the top gets `decoder()` and `encoder(level)`. [may throw] */
void codec_open(lua_State *L, const codec_class *decoder, const codec_class *encoder);

#endif
