/* SPDX-License-Identifier: MIT
 *
 * The head of an HTTP/1 message, strictly: from bytes, in pieces of any size, to slices. Each line
 * is checked as it comes, before llhttp sees the whole; a head that both do not take is refused. It
 * is copied into one block, so that the slices outlive what was received. Called by proto/h1.c.
 *
 * Invariant: the verdict on some bytes does not depend on the pieces that they came in. */
#ifndef AIO_PROTO_HEAD_H
#define AIO_PROTO_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

typedef struct head_limits {
  uint32_t line;     /* bytes of the first line */
  uint32_t field;    /* bytes of a line with a field */
  uint32_t fields;   /* how many */
  uint32_t head;     /* bytes in all, with the line ends */
  uint32_t trailers; /* bytes behind the last chunk */
} head_limits;

enum { HEAD_LINE_MAX = 65535, HEAD_FIELDS_MAX = 65535, HEAD_MAX = 16 * 1024 * 1024 };

/* A field; offsets into the head. */
typedef struct head_field {
  uint32_t name, value;
  uint16_t name_len, value_len;
} head_field;

typedef struct head_slice {
  uint32_t at, len;
} head_slice;

/* Why a message is refused: in static memory, and an excerpt of what was sent. */
typedef struct head_error {
  uint16_t status;  /* 400, 413, 414, 417, 431, 501, 505 */
  const char *what; /* NULL: none */
  char excerpt[64];
} head_error;

/* What needs no more than one small block, which is there only while a head is: of ten thousand
 * connections most are idle. */
#ifdef AIO_HOSTILE
enum { HEAD_SMALL = 4, HEAD_SMALL_FIELDS = 1 };
#else
enum { HEAD_SMALL = 768, HEAD_SMALL_FIELDS = 12 };
#endif

typedef struct head_small {
  head_field fields[HEAD_SMALL_FIELDS];
  char text[HEAD_SMALL];
} head_small;

typedef struct head {
  bool response;
  bool complete;
  head_limits limits;
  aio_mem mem;
  head_small *small; /* from the first byte on, NULL before */
  char *text;        /* that of `small`, or a block from `mem` */
  uint32_t len;      /* bytes of it so far */
  uint32_t room;     /* its size */
  uint32_t line;     /* where the line under way begins */
  head_field *fields;
  uint32_t nfields, fields_room;
  head_slice method, target, version; /* of a request: the three words */
  head_slice reason;                  /* of a response */
  uint16_t status;
  uint8_t minor;
  head_error error;
} head;

void head_init(head *h, bool response, const head_limits *limits, const aio_mem *mem);
/* Frees what is not in the struct; the head is then empty, for the next message. */
void head_reset(head *h);
/* Takes bytes up to the end of the head, or to an error; returns how many. */
size_t head_feed(head *h, const char *ptr, size_t len);
/* Refuses; the excerpt is of these bytes (NULL: none). False. */
bool head_refuse(head *h, uint16_t status, const char *what, const char *ptr, size_t len);

#endif
