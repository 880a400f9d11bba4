/* SPDX-License-Identifier: MIT
 *
 * Bodies in chunks (RFC 9112, 7.1), strictly: sizes of at most 16 digits, extensions only as the
 * grammar has them and few of them, CR LF everywhere, trailers that are fields and not many; they
 * are dropped. A state machine over bytes in pieces of any size: constant memory, linear time.
 * Called by proto/h1.c. */
#ifndef AIO_PROTO_CHUNKED_H
#define AIO_PROTO_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/head.h"

/* Bytes of extensions: behind one size, and in a whole body. */
enum { CHUNKED_EXTENSION_MAX = 256, CHUNKED_EXTENSIONS_MAX = 16 * 1024 };

typedef struct chunked {
  uint8_t state;
  uint8_t digits;      /* of the size, so far */
  uint64_t left;       /* bytes of the chunk's data still to come */
  uint32_t extension;  /* bytes behind this size */
  uint32_t extensions; /* in the whole body */
  uint32_t trailers, trailer_fields;
  uint32_t trailer_line; /* bytes of the line under way */
  char name[20];         /* of the trailer, as far as it fits, in lower case */
  head_limits limits;
  head_error error;
} chunked;

void chunked_init(chunked *c, const head_limits *limits);
/* Decodes up to `room` bytes to `to`, *got of them. Returns how many bytes it has used up: all,
 * unless the room is full, the body is at its end, or there is an error. */
size_t chunked_feed(chunked *c, const char *ptr, size_t len, char *to, size_t room, size_t *got);
bool chunked_ended(const chunked *c);

#endif
