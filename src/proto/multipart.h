/* SPDX-License-Identifier: MIT
 *
 * Multipart bodies (RFC 2046, 7578), piece by piece: each call says what comes next, and how much
 * of the piece that was. The time is linear in the bytes, however they are cut: a boundary begins
 * with CR and has no other, so after a mismatch nothing has to be looked at twice. Strict where
 * leniency would be ambiguous: lines end in CR LF, header lines are not folded. */
#ifndef AIO_PROTO_MULTIPART_H
#define AIO_PROTO_MULTIPART_H

#include "proto/slice.h"

enum {
  AIO_MULTIPART_BOUNDARY_MAX = 70,
  AIO_MULTIPART_PREAMBLE_MAX = 65536 /* bytes before the first boundary */
};

enum aio_multipart_what {
  AIO_MULTIPART_MORE,  /* the piece is used up */
  AIO_MULTIPART_HEAD,  /* the head of a part is there: see aio_multipart_field */
  AIO_MULTIPART_DATA,  /* bytes of the part: `data` */
  AIO_MULTIPART_LAST,  /* the part has ended */
  AIO_MULTIPART_END,   /* no more parts come; what follows is nothing */
  AIO_MULTIPART_BROKEN /* malformed: `why` */
};

typedef struct aio_multipart {
  char delimiter[AIO_MULTIPART_BOUNDARY_MAX + 8]; /* CR LF "--" boundary, then "-" */
  size_t len, matched;                            /* of the delimiter; so much of it was seen */
  size_t borrowed; /* so much of what was seen ended the line before, and is no data */
  unsigned state;
  bool in_part;
  size_t preamble, padding;
  char *head; /* the caller's, `room` bytes */
  size_t head_len, room;
  aio_slice data;
  const char *why;
} aio_multipart;

/* Is it a boundary as the RFC has it? */
bool aio_multipart_is_boundary(aio_slice s);
/* Begins; heads of parts are collected in `head`. */
void aio_multipart_init(aio_multipart *m, aio_slice boundary, char *head, size_t room);
/* Goes on with a piece, whose first `*used` bytes it has taken when it returns. */
enum aio_multipart_what aio_multipart_next(aio_multipart *m, aio_slice piece, size_t *used);
/* Takes the next header field off the head `rest`, which begins as m->head, m->head_len. 1, 0 at
 * the end, -1 when it is malformed. */
int aio_multipart_field(aio_slice *rest, aio_slice *name, aio_slice *value);

#endif
