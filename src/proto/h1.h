/* SPDX-License-Identifier: MIT
 *
 * One direction of an HTTP/1 connection: message after message, each a head and perhaps a body in
 * chunks. Other bodies do not go through here: their length is known, or they end with the
 * connection. Takes bytes in pieces of any size. Called by http/parser.c.
 *
 * Invariant: nothing is used up behind the part that is under way, so what follows a message, or
 * its head, stays with whoever received it. */
#ifndef AIO_PROTO_H1_H
#define AIO_PROTO_H1_H

#include "proto/chunked.h"
#include "proto/head.h"

/* h1.length beside a count of bytes. */
enum { H1_CHUNKED = -1, H1_UNTIL_CLOSE = -2 };

enum h1_flag {
  H1_KEEP_ALIVE = 1,
  H1_EXPECT_CONTINUE = 2,
  H1_UPGRADE = 4, /* Connection: upgrade, and an Upgrade field */
  H1_HTTP10 = 8,  /* the peer speaks HTTP/1.0 */
};

enum h1_state {
  H1_HEAD,   /* the head is under way */
  H1_JUDGED, /* it is complete, or refused */
  H1_BODY,   /* chunks are under way */
  H1_OTHER,  /* what comes is not for the parser, until h1_next */
};

/* What of a body is decoded and not yet taken. */
enum { H1_DATA_MAX = 64 * 1024 };

typedef struct h1 {
  uint8_t state;  /* enum h1_state */
  bool head_only; /* the response is one to HEAD */
  bool connect;   /* to CONNECT */
  bool asks_head; /* the request is HEAD */
  uint8_t flags;
  int64_t length;
  char *data;
  uint32_t data_len, data_room;
  chunked body;
  head head;
} h1;

void h1_init(h1 *p, bool response, const head_limits *limits, const aio_mem *mem);
void h1_fini(h1 *p);
/* Takes bytes; returns how many. *done: the head is complete, some of the body is there, or its
 * end, or there is an error; then nothing more is taken. */
size_t h1_feed(h1 *p, const char *ptr, size_t len, bool *done);
/* The head was taken: on to the body. */
void h1_take_head(h1 *p);
/* The data was taken. */
void h1_take_data(h1 *p);
/* On to the next message. */
void h1_next(h1 *p);
/* Has no byte of a message come? */
static inline bool h1_idle(const h1 *p) {
  return p->state == H1_HEAD && p->head.len == 0 && !p->head.error.what;
}
/* The error, or NULL. */
const head_error *h1_error(const h1 *p);

/* ---- judge.c ---- */

/* What the complete head says about its body and the connection; false: refused. */
bool h1_judge(h1 *p);

/* ---- second.c ---- */

/* Does llhttp take the complete head too? False: refused. True where it is not built in. */
bool h1_second(h1 *p);

#endif
